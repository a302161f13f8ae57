"""The pure decisions of invoicing: what is owed, what is settled, and what a document holds."""
