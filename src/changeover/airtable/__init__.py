"""The Airtable base: its client, its schema, its mirror, and the delivery of what a plan wants written."""
