-- Wallets: prepaid credits as grants, every movement of them as an entry, uses and reservations, alerts and top-ups.
-- Whoever moves credit locks the wallet's row first and takes the next entry numbers from it; should anybody not,
-- the primary key of the entries and the check on what a grant has left refuse the second one.

create table tenor.wallets (
    tenant_id uuid not null references tenor.tenants,
    id uuid not null,
    customer_id uuid not null,
    code text not null check (code ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
    -- What is counted in it: a currency, or a unit of its own such as 'tokens'.
    unit text not null check (unit ~ '^[A-Za-z][A-Za-z0-9_]{0,31}$'),
    -- What a unit is worth when it pays for something: `rate` of `currency`.
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    rate numeric(27, 12) not null check (rate <> 'NaN' and rate > 0),
    -- Whether uses go on when nothing is left, and whether a later grant then pays for them first.
    overdraws boolean not null,
    repays_advances boolean not null,
    burn_order text[] not null check (cardinality(burn_order) between 1 and 10),
    eligibility text not null check (eligibility in ('effective_at_period_end', 'effective_before_service_end')),
    opened_at timestamptz not null,
    entry_count bigint not null default 0 check (entry_count >= 0),
    primary key (tenant_id, id),
    unique (tenant_id, customer_id, code),
    foreign key (tenant_id, customer_id) references tenor.customers (tenant_id, id)
);
select tenor.protect('tenor.wallets', 'update');
revoke update on tenor.wallets from tenor_app;
grant update (entry_count) on tenor.wallets to tenor_app;

-- What is granted again and again: a grant is made at each boundary that counts from `anchor`, next at `next_at`.
create table tenor.recurring_grants (
    tenant_id uuid not null,
    id uuid not null,
    wallet_id uuid not null,
    code text not null check (code ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
    amount numeric(27, 12) not null check (amount <> 'NaN' and amount > 0),
    every text not null check (every ~ '^[1-9][0-9]{0,2} (hour|day|week|month|year)$'),
    anchor timestamptz not null,
    priority bigint not null check (priority between 0 and 255),
    category text not null check (category in ('paid', 'promotional')),
    features text[] not null check (cardinality(features) <= 100),
    -- How much of what is left at a boundary is kept until the next one.
    rollover_max numeric(27, 12) not null check (rollover_max <> 'NaN' and rollover_max >= 0),
    next_at timestamptz,
    primary key (tenant_id, id),
    unique (tenant_id, wallet_id, code),
    unique (tenant_id, wallet_id, id),
    foreign key (tenant_id, wallet_id) references tenor.wallets (tenant_id, id)
);
create index recurring_grants_due on tenor.recurring_grants (tenant_id, next_at) where next_at is not null;
select tenor.protect('tenor.recurring_grants', 'update');
revoke update on tenor.recurring_grants from tenor_app;
grant update (next_at) on tenor.recurring_grants to tenor_app;

create table tenor.credit_grants (
    tenant_id uuid not null,
    id uuid not null,
    wallet_id uuid not null,
    amount numeric(27, 12) not null check (amount <> 'NaN' and amount > 0),
    remaining numeric(27, 12) not null check (remaining <> 'NaN' and remaining >= 0 and remaining <= amount),
    -- What was paid for all of it, in minor units of the wallet's currency.
    cost_minor bigint not null check (cost_minor >= 0 and cost_minor < 4611686018427387904),
    source text not null check (source in ('purchase', 'promotion', 'plan', 'refund')),
    category text not null check (category in ('paid', 'promotional')),
    priority bigint not null check (priority between 0 and 255),
    features text[] not null check (cardinality(features) <= 100),
    effective_at timestamptz not null,
    expires_at timestamptz check (expires_at > effective_at),
    recurring_grant_id uuid,
    made_at timestamptz not null,
    voided_at timestamptz,
    primary key (tenant_id, id),
    unique (tenant_id, wallet_id, id),
    check (voided_at is null or remaining = 0),
    foreign key (tenant_id, wallet_id) references tenor.wallets (tenant_id, id),
    foreign key (tenant_id, wallet_id, recurring_grant_id)
        references tenor.recurring_grants (tenant_id, wallet_id, id)
);
create index credit_grants_left on tenor.credit_grants (tenant_id, wallet_id) where remaining > 0;
create index credit_grants_expiring on tenor.credit_grants (tenant_id, expires_at) where remaining > 0;
select tenor.protect('tenor.credit_grants', 'update');
revoke update on tenor.credit_grants from tenor_app;
grant update (remaining, voided_at, expires_at) on tenor.credit_grants to tenor_app;

-- One use of a wallet: drawn at once, or held until it is settled. `key` is the caller's own name for it.
create table tenor.wallet_uses (
    tenant_id uuid not null,
    id uuid not null,
    wallet_id uuid not null,
    key text not null check (length(key) between 1 and 255),
    feature text check (length(feature) between 1 and 200),
    status text not null check (status in ('held', 'used', 'released')),
    asked numeric(27, 12) not null check (asked <> 'NaN' and asked >= 0),
    used numeric(27, 12) not null check (used <> 'NaN' and used >= 0),
    uncovered numeric(27, 12) not null check (uncovered <> 'NaN' and uncovered >= 0 and uncovered <= used),
    made_at timestamptz not null,
    expires_at timestamptz check (expires_at > made_at),
    settled_at timestamptz,
    primary key (tenant_id, id),
    unique (tenant_id, wallet_id, key),
    unique (tenant_id, wallet_id, id),
    check ((status = 'held') = (settled_at is null)),
    check (status <> 'held' or expires_at is not null),
    check (status = 'used' or used = 0),
    foreign key (tenant_id, wallet_id) references tenor.wallets (tenant_id, id)
);
create index wallet_uses_held on tenor.wallet_uses (tenant_id, expires_at) where status = 'held';
create index wallet_uses_uncovered on tenor.wallet_uses (tenant_id, wallet_id) where uncovered > 0;
select tenor.protect('tenor.wallet_uses', 'update');
revoke update on tenor.wallet_uses from tenor_app;
grant update (status, used, uncovered, settled_at) on tenor.wallet_uses to tenor_app;

-- Every movement. What a grant has left is the sum of its entries; `value_minor` is the part of its cost that moves.
create table tenor.wallet_entries (
    tenant_id uuid not null,
    wallet_id uuid not null,
    entry_no bigint not null check (entry_no > 0),
    kind text not null check (kind in (
        'granted', 'held', 'released', 'drawn', 'advanced', 'repaid', 'restored', 'forgone', 'voided', 'lapsed')),
    amount numeric(27, 12) not null check (amount <> 'NaN' and amount > 0),
    grant_id uuid,
    use_id uuid,
    value_minor bigint not null check (value_minor >= 0),
    at timestamptz not null,
    primary key (tenant_id, wallet_id, entry_no),
    check ((kind in ('advanced', 'forgone')) = (grant_id is null)),
    check ((kind in ('granted', 'voided', 'lapsed')) = (use_id is null)),
    check (grant_id is not null or value_minor = 0),
    foreign key (tenant_id, wallet_id) references tenor.wallets (tenant_id, id),
    foreign key (tenant_id, wallet_id, grant_id) references tenor.credit_grants (tenant_id, wallet_id, id),
    foreign key (tenant_id, wallet_id, use_id) references tenor.wallet_uses (tenant_id, wallet_id, id)
);
create index wallet_entries_of_use on tenor.wallet_entries (tenant_id, use_id) where use_id is not null;
create index wallet_entries_of_grant on tenor.wallet_entries (tenant_id, grant_id) where grant_id is not null;
select tenor.protect('tenor.wallet_entries', 'append');

-- Whoever is to be told when less than `threshold` is left. `is_below` is told once, until enough is there again.
create table tenor.wallet_alerts (
    tenant_id uuid not null,
    wallet_id uuid not null,
    threshold numeric(27, 12) not null check (threshold <> 'NaN' and threshold >= 0),
    is_below boolean not null,
    primary key (tenant_id, wallet_id, threshold),
    foreign key (tenant_id, wallet_id) references tenor.wallets (tenant_id, id)
);
select tenor.protect('tenor.wallet_alerts', 'update');
revoke update on tenor.wallet_alerts from tenor_app;
grant update (is_below) on tenor.wallet_alerts to tenor_app;

-- When a wallet is filled up by itself: from less than `threshold` to `target`, so many times a day at most.
create table tenor.wallet_top_ups (
    tenant_id uuid not null,
    wallet_id uuid not null,
    is_active boolean not null,
    threshold numeric(27, 12) not null check (threshold <> 'NaN' and threshold >= 0),
    target numeric(27, 12) not null check (target <> 'NaN' and target > threshold),
    max_per_day bigint not null check (max_per_day between 1 and 1000),
    primary key (tenant_id, wallet_id),
    foreign key (tenant_id, wallet_id) references tenor.wallets (tenant_id, id)
);
select tenor.protect('tenor.wallet_top_ups', 'update');

-- One top-up that was asked for. A wallet has one in flight; the checks refuse a second, and one too many a day (UTC).
create table tenor.top_up_orders (
    tenant_id uuid not null,
    id uuid not null,
    wallet_id uuid not null,
    amount numeric(27, 12) not null check (amount <> 'NaN' and amount > 0),
    price_minor bigint not null check (price_minor >= 0 and price_minor < 4611686018427387904),
    status text not null check (status in ('pending', 'paid', 'failed')),
    ordered_at timestamptz not null,
    day date not null,
    order_of_day bigint not null check (order_of_day > 0),
    max_per_day bigint not null,
    settled_at timestamptz,
    grant_id uuid,
    primary key (tenant_id, id),
    unique (tenant_id, wallet_id, day, order_of_day),
    constraint top_up_orders_per_day check (order_of_day <= max_per_day),
    check ((status = 'pending') = (settled_at is null)),
    check ((status = 'paid') = (grant_id is not null)),
    foreign key (tenant_id, wallet_id) references tenor.wallets (tenant_id, id),
    foreign key (tenant_id, wallet_id, grant_id) references tenor.credit_grants (tenant_id, wallet_id, id)
);
create unique index top_up_orders_in_flight on tenor.top_up_orders (tenant_id, wallet_id) where status = 'pending';
select tenor.protect('tenor.top_up_orders', 'update');
revoke update on tenor.top_up_orders from tenor_app;
grant update (status, settled_at, grant_id) on tenor.top_up_orders to tenor_app;
