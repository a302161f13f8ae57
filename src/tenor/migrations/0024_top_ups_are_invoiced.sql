-- Whether what a wallet orders for itself is invoiced as it is ordered; null where nobody has said.
alter table tenor.billing_settings add column invoices_top_ups boolean;
