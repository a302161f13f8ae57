"""Money, time, quantities, ids and refusals: standard library only, no input or output."""
