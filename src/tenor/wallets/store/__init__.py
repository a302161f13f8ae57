"""The statements on the tables of wallets; many rows at once, and nothing decided."""
