-- Subscriptions: one named state moved through one table, a journal of changes, and the timeline it folds to.
-- That the tenant exists follows from each row's key to its subscription, item or customer: a key of its own to
-- tenants would cost a third of every insert and have all writers of a tenant share a lock on its row.

create function tenor.subscription_move_allowed(from_status text, to_status text) returns boolean
language sql immutable parallel safe
as $$
    select (from_status, to_status) in (
        ('created', 'trialing'), ('created', 'active'), ('created', 'cancelled'),
        ('trialing', 'active'), ('trialing', 'expired'), ('trialing', 'cancelled'),
        ('active', 'past_due'), ('active', 'paused'), ('active', 'expiring_soon'), ('active', 'cancelled'),
        ('past_due', 'active'), ('past_due', 'suspended'), ('past_due', 'cancelled'),
        ('paused', 'active'), ('paused', 'cancelled'),
        ('expiring_soon', 'active'), ('expiring_soon', 'past_due'), ('expiring_soon', 'expired'),
        ('expiring_soon', 'cancelled'),
        ('suspended', 'active'), ('suspended', 'cancelled'),
        ('expired', 'active'), ('expired', 'cancelled')
    )
$$;
grant execute on function tenor.subscription_move_allowed(text, text) to tenor_app, tenor_auditor;

create table tenor.subscriptions (
    tenant_id uuid not null,
    id uuid not null,
    customer_id uuid not null,
    external_id text not null check (external_id <> '' and length(external_id) <= 200),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    timezone text not null,
    profile text not null,
    status text not null check (status in ('created', 'trialing', 'active', 'past_due', 'paused', 'expiring_soon',
                                           'expired', 'cancelled', 'suspended')),
    version bigint not null check (version > 0),
    starts_at timestamptz not null,
    trial_ends_at timestamptz,
    trial_converts boolean not null,
    -- The end of the agreed term, or the earlier instant of a cancellation.
    ends_at timestamptz,
    cancels_at_end boolean not null check (ends_at is not null or not cancels_at_end),
    -- When the calendar alone next moves the state (start, end of trial, end); null when nothing is ahead.
    next_move_at timestamptz,
    -- SHA-256 of the request that made it: the same request again is answered, another one is refused.
    request_digest bytea not null check (length(request_digest) = 32),
    created_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, external_id),
    check (ends_at >= starts_at),
    check (trial_ends_at >= starts_at),
    foreign key (tenant_id, customer_id) references tenor.customers (tenant_id, id)
);
create index subscriptions_by_customer on tenor.subscriptions (tenant_id, customer_id);
create index subscriptions_by_move on tenor.subscriptions (tenant_id, next_move_at) where next_move_at is not null;
select tenor.protect('tenor.subscriptions', 'update');

create function tenor.refuse_illegal_move() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if not tenor.subscription_move_allowed(old.status, new.status) then
        raise exception 'a subscription cannot go from % to %', old.status, new.status
            using errcode = 'check_violation', constraint = 'subscription_move_allowed';
    end if;
    return new;
end
$$;
create trigger refuse_illegal_move before update of status on tenor.subscriptions
    for each row when (old.status is distinct from new.status) execute function tenor.refuse_illegal_move();

-- The history of states: every move, its trigger and when it held.
create table tenor.subscription_moves (
    tenant_id uuid not null,
    subscription_id uuid not null,
    move_no bigint not null check (move_no > 0),
    from_status text not null,
    to_status text not null,
    trigger text not null,
    effective_at timestamptz not null,
    recorded_at timestamptz not null,
    primary key (tenant_id, subscription_id, move_no),
    foreign key (tenant_id, subscription_id) references tenor.subscriptions (tenant_id, id),
    check (tenor.subscription_move_allowed(from_status, to_status))
);
select tenor.protect('tenor.subscription_moves', 'append');

-- The journal: every change with its valid time (effective_at) and its recorded time. The timeline folds from it.
create table tenor.subscription_changes (
    tenant_id uuid not null,
    subscription_id uuid not null,
    version bigint not null check (version > 0),
    kind text not null check (kind in ('subscribed', 'plan_changed', 'quantity_changed', 'cancelled')),
    effective_at timestamptz not null,
    recorded_at timestamptz not null,
    actor text not null,
    reason text not null,
    facts jsonb not null,
    primary key (tenant_id, subscription_id, version),
    foreign key (tenant_id, subscription_id) references tenor.subscriptions (tenant_id, id)
);
select tenor.protect('tenor.subscription_changes', 'append');

-- An item is one stay of a subscription on one plan version; a change of plan opens the next one.
create table tenor.subscription_items (
    tenant_id uuid not null,
    id uuid not null,
    subscription_id uuid not null,
    plan_version_id uuid not null,
    anchor_at timestamptz not null,
    discount_percent numeric(9, 6) not null default 0
        check (discount_percent <> 'NaN' and discount_percent >= 0 and discount_percent <= 100),
    primary key (tenant_id, id),
    unique (tenant_id, subscription_id, id),
    foreign key (tenant_id, subscription_id) references tenor.subscriptions (tenant_id, id),
    foreign key (tenant_id, plan_version_id) references tenor.plan_versions (tenant_id, id)
);
select tenor.protect('tenor.subscription_items', 'append');

-- The phases that the journal folds to now, kept so that a bill run reads them in one statement.
-- A phase that a change took back stays as a row with superseded_by set; nothing is deleted.
create table tenor.phases (
    tenant_id uuid not null,
    item_id uuid not null,
    written_by_version bigint not null check (written_by_version > 0),
    superseded_by_version bigint check (superseded_by_version > written_by_version),
    starts_at timestamptz not null,
    ends_at timestamptz check (ends_at > starts_at),
    is_billable boolean not null,
    -- {"quantities": {charge code: decimal text}, "prices": {charge code: decimal text}}
    terms jsonb not null,
    primary key (tenant_id, item_id, starts_at, written_by_version),
    foreign key (tenant_id, item_id) references tenor.subscription_items (tenant_id, id)
);
create unique index phases_in_force on tenor.phases (tenant_id, item_id, starts_at) where superseded_by_version is null;
select tenor.protect('tenor.phases', 'update');

-- How far each item is settled, and from where on news (a change, late usage) made it worth another look.
create table tenor.billing_positions (
    tenant_id uuid not null,
    subscription_id uuid not null,
    item_id uuid not null,
    settled_through timestamptz,
    revisit_from timestamptz,
    -- When the bill run next looks at the item; null when nothing will ever fall due.
    next_due_at timestamptz,
    primary key (tenant_id, subscription_id, item_id),
    foreign key (tenant_id, subscription_id, item_id)
        references tenor.subscription_items (tenant_id, subscription_id, id)
);
create index billing_positions_due on tenor.billing_positions (tenant_id, next_due_at, subscription_id)
    where next_due_at is not null;
select tenor.protect('tenor.billing_positions', 'update');
