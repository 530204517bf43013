"""Calendar feeds: from the base's feed records to one batch per feed (`observe`)."""
