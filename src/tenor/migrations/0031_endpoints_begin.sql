-- The place in the feed from which on an endpoint is told of events: those before it were published before it was there.
alter table tenor.webhook_endpoints add column after_position bigint not null default 0 check (after_position >= 0);
