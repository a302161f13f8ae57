"""The verbs: one file for each thing that can be done to subscriptions."""
