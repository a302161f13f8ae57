"""Pricing: price books, plan versions, charge models and proration."""
