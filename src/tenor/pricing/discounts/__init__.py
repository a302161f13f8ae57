"""Coupons, promotion codes and what their redemption grants: a discount."""
