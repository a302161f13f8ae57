"""What people do to documents: one file for each verb."""
