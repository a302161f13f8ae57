"""Customers: the parties that subscriptions belong to and documents are addressed to."""

from tenor.customers.erase import erase_customer
from tenor.customers.model import Customer, CustomerDetails, MalformedCustomer
from tenor.customers.operations.change_customer import CustomerChanged, change_customer
from tenor.customers.operations.create_customer import CustomerExists, create_customer
from tenor.customers.operations.register_customers import register_customers
from tenor.customers.personal import CustomerErased, Personal, personal_of, rewrap_keys, seal_plain_names
from tenor.customers.store import (
    CustomerDiffers,
    CustomerNotFound,
    customer_id_of,
    customer_ids,
    customer_timezones,
    customers_by_external_id,
    find_customer,
    list_customers,
    newest_customers,
)

__all__ = [
    "Customer",
    "CustomerChanged",
    "CustomerDetails",
    "CustomerDiffers",
    "CustomerErased",
    "CustomerExists",
    "CustomerNotFound",
    "MalformedCustomer",
    "Personal",
    "change_customer",
    "create_customer",
    "customer_id_of",
    "customer_ids",
    "customer_timezones",
    "customers_by_external_id",
    "erase_customer",
    "find_customer",
    "list_customers",
    "newest_customers",
    "personal_of",
    "register_customers",
    "rewrap_keys",
    "seal_plain_names",
]
