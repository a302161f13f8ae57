"""Tenor: a sovereign subscription billing engine that can prove every cent."""
