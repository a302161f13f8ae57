"""The benchmark of the bill run: what is measured, the two jobs it is compared with, and the page about it."""
