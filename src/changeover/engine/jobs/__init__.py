"""Jobs of Housecall Pro as durable work: made, moved, followed, reconciled; the rules themselves are in the core."""
