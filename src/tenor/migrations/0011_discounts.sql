-- Discounts: coupons with their limits, the promotion codes that redeem them, and every redemption.
-- The counters decide: each redemption adds one to the rows it counts on, and a check refuses one too many, however
-- many sessions redeem at once. Terms and limits never change, so a counter never has to be compared with new ones.

create table tenor.coupons (
    tenant_id uuid not null references tenor.tenants,
    id uuid not null,
    code text not null check (code ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
    name text not null check (length(name) between 1 and 200),
    percent_off numeric(15, 12) check (percent_off <> 'NaN' and percent_off > 0 and percent_off <= 100),
    amount_off_minor bigint check (amount_off_minor > 0 and amount_off_minor < 4611686018427387904),
    currency text check (currency ~ '^[A-Z]{3}$'),
    duration text not null check (duration in ('once', 'repeating', 'forever')),
    periods bigint check (periods between 1 and 1200),
    plans text[] not null check (cardinality(plans) <= 100),
    products text[] not null check (cardinality(products) <= 100),
    charges text[] not null check (cardinality(charges) <= 100),
    metrics text[] not null check (cardinality(metrics) <= 100),
    max_redemptions bigint check (max_redemptions > 0),
    max_per_customer bigint check (max_per_customer > 0),
    redeem_by timestamptz,
    minimum_order_minor bigint check (minimum_order_minor > 0),
    minimum_order_currency text check (minimum_order_currency ~ '^[A-Z]{3}$'),
    is_first_purchase_only boolean not null,
    created_at timestamptz not null,
    status text not null default 'active' check (status in ('active', 'archived')),
    archived_at timestamptz,
    redeemed bigint not null default 0 check (redeemed >= 0),
    primary key (tenant_id, id),
    unique (tenant_id, code),
    constraint coupons_one_value check ((percent_off is null) <> (amount_off_minor is null)),
    constraint coupons_amount_has_currency check ((amount_off_minor is null) = (currency is null)),
    constraint coupons_repeating_has_periods check ((duration = 'repeating') = (periods is not null)),
    constraint coupons_minimum_has_currency check ((minimum_order_minor is null) = (minimum_order_currency is null)),
    constraint coupons_archived_at check ((status = 'archived') = (archived_at is not null)),
    constraint coupons_used_up check (redeemed <= max_redemptions)
);
select tenor.protect('tenor.coupons', 'update');
revoke update on tenor.coupons from tenor_app;
grant update (status, archived_at, redeemed) on tenor.coupons to tenor_app;

-- Kept in capitals, so that one word is one code however it is typed.
create table tenor.promotion_codes (
    tenant_id uuid not null references tenor.tenants,
    id uuid not null,
    code text not null check (code ~ '^[A-Z0-9][A-Z0-9_-]{0,63}$'),
    coupon_id uuid not null,
    customer_id uuid,
    max_redemptions bigint check (max_redemptions > 0),
    redeem_by timestamptz,
    minimum_order_minor bigint check (minimum_order_minor > 0),
    minimum_order_currency text check (minimum_order_currency ~ '^[A-Z]{3}$'),
    is_first_purchase_only boolean not null,
    created_at timestamptz not null,
    redeemed bigint not null default 0 check (redeemed >= 0),
    primary key (tenant_id, id),
    unique (tenant_id, code),
    unique (tenant_id, coupon_id, id),
    constraint promotion_codes_minimum_has_currency
        check ((minimum_order_minor is null) = (minimum_order_currency is null)),
    constraint promotion_codes_used_up check (redeemed <= max_redemptions),
    foreign key (tenant_id, coupon_id) references tenor.coupons (tenant_id, id),
    foreign key (tenant_id, customer_id) references tenor.customers (tenant_id, id)
);
select tenor.protect('tenor.promotion_codes', 'update');
revoke update on tenor.promotion_codes from tenor_app;
grant update (redeemed) on tenor.promotion_codes to tenor_app;

-- How often a customer has redeemed a coupon. max_per_customer is the coupon's, which never changes.
create table tenor.coupon_customers (
    tenant_id uuid not null,
    coupon_id uuid not null,
    customer_id uuid not null,
    max_per_customer bigint check (max_per_customer > 0),
    redeemed bigint not null check (redeemed >= 0),
    primary key (tenant_id, coupon_id, customer_id),
    constraint coupon_customers_used_up check (redeemed <= max_per_customer),
    foreign key (tenant_id, coupon_id) references tenor.coupons (tenant_id, id),
    foreign key (tenant_id, customer_id) references tenor.customers (tenant_id, id)
);
select tenor.protect('tenor.coupon_customers', 'update');
revoke update on tenor.coupon_customers from tenor_app;
grant update (redeemed) on tenor.coupon_customers to tenor_app;

-- One row for each discount that was granted. The id is the discount's, as journals keep it. The subscription may be
-- written later in the same transaction.
create table tenor.redemptions (
    tenant_id uuid not null,
    id uuid not null,
    coupon_id uuid not null,
    promotion_code_id uuid,
    customer_id uuid not null,
    subscription_id uuid,
    redeemed_at timestamptz not null,
    undone_at timestamptz check (undone_at >= redeemed_at),
    primary key (tenant_id, id),
    foreign key (tenant_id, coupon_id) references tenor.coupons (tenant_id, id),
    foreign key (tenant_id, coupon_id, promotion_code_id) references tenor.promotion_codes (tenant_id, coupon_id, id),
    foreign key (tenant_id, customer_id) references tenor.customers (tenant_id, id),
    foreign key (tenant_id, subscription_id) references tenor.subscriptions (tenant_id, id)
        deferrable initially deferred
);
create index redemptions_by_coupon on tenor.redemptions (tenant_id, coupon_id);
select tenor.protect('tenor.redemptions', 'update');
revoke update on tenor.redemptions from tenor_app;
grant update (undone_at) on tenor.redemptions to tenor_app;
