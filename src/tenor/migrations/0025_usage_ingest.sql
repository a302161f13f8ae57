-- Usage ingest: what a session may remember, and an index without what nothing reads from it.

-- Who brings usage in remembers the ids of customers by what senders call them: neither ever changes.
revoke update on tenor.customers from tenor_app;
grant update (name, name_sealed, email_sealed, address_sealed, metadata, version) on tenor.customers to tenor_app;

-- Whether an event was corrected is asked of all of them, so that its row is visited whatever the index includes.
drop index tenor.usage_events_by_metric;
create index usage_events_by_metric on tenor.usage_events (tenant_id, customer_id, metric_code, occurred_at);
