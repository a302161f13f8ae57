"""What metering does: one file per verb."""
