"""Pure rules of prepaid credits: in which order grants burn, what a use draws on each, what is left at an instant."""
