"""The rules of the business as pure functions of values: no clock, environment, network, database or logging."""
