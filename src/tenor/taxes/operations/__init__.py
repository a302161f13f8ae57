"""What is done to taxes, one file for each verb."""
