"""The adapter that keeps usage in ClickHouse; PostgreSQL decides, and holds what is on its way. See ADR 18."""
