"""State machines of the public case files, one table each: what may follow what, and under which circumstances."""
