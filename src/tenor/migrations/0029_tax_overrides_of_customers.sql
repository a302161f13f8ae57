-- Taxes: an override is of a customer. One of a single document could be written, but no document was ever taxed by it.

alter table tenor.tax_overrides no force row level security;
delete from tenor.tax_overrides where document_id is not null;
alter table tenor.tax_overrides force row level security;
drop index tenor.tax_overrides_by_customer, tenor.tax_overrides_by_document;
alter table tenor.tax_overrides drop column document_id;
create index tax_overrides_by_customer on tenor.tax_overrides (tenant_id, customer_id);
