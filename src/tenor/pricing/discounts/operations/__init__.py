"""The verbs of coupons: one file each."""
