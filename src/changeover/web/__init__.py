"""What faces the internet: verifies, stores, answers; it works nothing and holds no credential for a way out."""
