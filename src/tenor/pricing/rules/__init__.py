"""Pure decisions about prices: no input or output, no clock."""
