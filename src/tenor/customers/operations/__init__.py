"""What is done to one customer, one file per verb."""
