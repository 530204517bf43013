"""The stand-in for Housecall Pro: its public API, what people do in its app, and its webhooks; nothing is for real."""
