"""Conformance: run neutral billing cases on the engine's own rules and score them."""
