"""The bill run: one pass over what is due for a tenant at an instant."""
