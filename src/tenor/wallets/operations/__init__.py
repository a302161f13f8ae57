"""What is done with wallets, one verb in each file."""
