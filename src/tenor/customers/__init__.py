"""Customers: the parties that subscriptions belong to and documents are addressed to."""

from tenor.customers.model import Customer, CustomerDetails, MalformedCustomer
from tenor.customers.store import CustomerDiffers, customers_by_external_id, register_customers, tax_percent_of

__all__ = [
    "Customer",
    "CustomerDetails",
    "CustomerDiffers",
    "MalformedCustomer",
    "customers_by_external_id",
    "register_customers",
    "tax_percent_of",
]
