"""Pure decisions about taxes: which rates hold, what tax a line bears, and what a credit gives back."""
