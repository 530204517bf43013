"""Mails as the mail service posts them: read, judged, their reports taken out; no network and no database here."""
