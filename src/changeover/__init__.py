"""Changeover: stays of short-term rentals become truthful rows in Airtable."""
