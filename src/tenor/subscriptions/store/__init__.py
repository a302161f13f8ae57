"""The rows of this context: explicit SQL, and what its columns mean as values."""
