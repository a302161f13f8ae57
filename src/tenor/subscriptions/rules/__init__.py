"""Pure decisions about a subscription: what its journal folds to, and what the calendar moves."""
