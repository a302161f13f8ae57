"""What every context stands on: the database, its tenants, events on their way out, the audit trail."""
