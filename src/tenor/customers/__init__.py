"""Customers: the parties that subscriptions belong to and documents are addressed to."""

from tenor.customers.erase import erase_customer
from tenor.customers.model import Customer, CustomerDetails, MalformedCustomer
from tenor.customers.personal import CustomerErased, Personal, personal_of, rewrap_keys, seal_plain_names
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
    "CustomerErased",
    "MalformedCustomer",
    "Personal",
    "customer_ids",
    "customers_by_external_id",
    "erase_customer",
    "newest_customers",
    "personal_of",
    "register_customers",
    "rewrap_keys",
    "seal_plain_names",
    "tax_percent_of",
]
