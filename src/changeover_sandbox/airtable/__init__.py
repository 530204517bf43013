"""A stand-in for the Airtable Web API that real clients cannot tell from it; it is no store for what must last."""
