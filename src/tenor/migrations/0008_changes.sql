-- Changes: every kind of entry in a journal, and what the timeline says of it in rows: pauses, add-ons, discounts,
-- notice and renewal of a term.

-- A trial can be paused where it is extended over a pause, and a term can be noticed before a pause and end in one.
create or replace function tenor.subscription_move_allowed(from_status text, to_status text) returns boolean
language sql immutable parallel safe
as $$
    select (from_status, to_status) in (
        ('created', 'trialing'), ('created', 'active'), ('created', 'cancelled'),
        ('trialing', 'active'), ('trialing', 'expired'), ('trialing', 'paused'), ('trialing', 'cancelled'),
        ('active', 'past_due'), ('active', 'paused'), ('active', 'expiring_soon'), ('active', 'cancelled'),
        ('past_due', 'active'), ('past_due', 'suspended'), ('past_due', 'cancelled'),
        ('paused', 'active'), ('paused', 'trialing'), ('paused', 'expired'), ('paused', 'cancelled'),
        ('expiring_soon', 'active'), ('expiring_soon', 'past_due'), ('expiring_soon', 'paused'),
        ('expiring_soon', 'expired'), ('expiring_soon', 'cancelled'),
        ('suspended', 'active'), ('suspended', 'cancelled'),
        ('expired', 'active'), ('expired', 'cancelled')
    )
$$;

alter table tenor.subscriptions
    -- How many days of 24 hours before its end a term is noticed; zero: at its end.
    add column notice_days bigint not null default 0 check (notice_days between 0 and 3650),
    -- By how much the term is prolonged when it ends ('12 month'); null: it ends.
    add column renewal text check (renewal ~ '^[1-9][0-9]{0,2} (hour|day|week|month|year)$');

alter table tenor.subscription_changes
    drop constraint subscription_changes_kind_check,
    add constraint subscription_changes_kind_check check (kind in (
        'subscribed', 'plan_changed', 'quantity_changed', 'prices_changed', 'add_on_added', 'add_on_removed',
        'paused', 'resumed', 'trial_changed', 'anchor_moved', 'term_changed', 'cancelled',
        'discount_applied', 'discount_removed', 'undone'));

alter table tenor.subscription_items add column is_add_on boolean not null default false;

-- What is not billable so far is a trial.
alter table tenor.phases
    add column state text not null default 'active' check (state in ('trial', 'active', 'paused')),
    add column closing text not null default 'prorated' check (closing in ('prorated', 'whole', 'free'));
alter table tenor.phases no force row level security;
update tenor.phases set state = 'trial' where not is_billable;
alter table tenor.phases force row level security;
alter table tenor.phases
    alter column state drop default,
    alter column closing drop default,
    add constraint phases_billable_when_active check (state = 'active' or not is_billable),
    add constraint phases_closing_of_billable check (closing = 'prorated' or is_billable);

-- The discounts that the journal folds to now, in the order `place` in which they are taken; see tenor.phases.
create table tenor.subscription_discounts (
    tenant_id uuid not null,
    subscription_id uuid not null,
    written_by_version bigint not null check (written_by_version > 0),
    superseded_by_version bigint check (superseded_by_version > written_by_version),
    place bigint not null check (place > 0),
    discount_id uuid not null,
    applied_at timestamptz not null,
    removed_at timestamptz check (removed_at > applied_at),
    -- The discount as tenor.pricing.discounts keeps it: a copy of its coupon's terms at the redemption.
    terms jsonb not null,
    primary key (tenant_id, subscription_id, place, written_by_version),
    foreign key (tenant_id, subscription_id) references tenor.subscriptions (tenant_id, id)
);
create unique index subscription_discounts_in_force on tenor.subscription_discounts (tenant_id, subscription_id, place)
    where superseded_by_version is null;
select tenor.protect('tenor.subscription_discounts', 'update');

-- Subscriptions of one group are billed in one batch, so that a customer's can stand on one invoice.
alter table tenor.billing_positions add column group_id uuid;
alter table tenor.billing_positions no force row level security;
update tenor.billing_positions set group_id = subscription_id;
alter table tenor.billing_positions force row level security;
alter table tenor.billing_positions alter column group_id set not null;
drop index tenor.billing_positions_due;
create index billing_positions_due on tenor.billing_positions (tenant_id, next_due_at, group_id, subscription_id)
    where next_due_at is not null;
