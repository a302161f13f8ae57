"""Aggregation: select the events, read what they say, fold the readings into one number. Pure."""
