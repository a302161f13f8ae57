"""Metering in PostgreSQL: explicit SQL, always for many at once."""
