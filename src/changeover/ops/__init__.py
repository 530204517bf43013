"""What keeps the program watchable: logging and redaction; it decides nothing about stays."""
