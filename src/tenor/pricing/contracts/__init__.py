"""Contracts: private editions of a plan for one customer, step by step along a ramp."""
