"""Customers: the parties that subscriptions belong to and documents are addressed to."""

from tenor.customers.model import Customer, CustomerDetails, MalformedCustomer
from tenor.customers.store import (
    CustomerDiffers,
    customer_ids,
    customers_by_external_id,
    newest_customers,
    register_customers,
    tax_percent_of,
)

__all__ = [
    "Customer",
    "CustomerDetails",
    "CustomerDiffers",
    "MalformedCustomer",
    "customer_ids",
    "customers_by_external_id",
    "newest_customers",
    "register_customers",
    "tax_percent_of",
]
