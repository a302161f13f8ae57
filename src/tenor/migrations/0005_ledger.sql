-- Double entry as transfers: one row debits one account and credits another by one positive amount.

create table tenor.accounts (
    tenant_id uuid not null references tenor.tenants,
    id uuid not null,
    code text not null check (code ~ '^[a-z][a-z_]{0,62}$'),
    normal_side text not null check (normal_side in ('debit', 'credit')),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    primary key (tenant_id, id),
    unique (tenant_id, code, currency),
    unique (tenant_id, id, currency)
);
select tenor.protect('tenor.accounts', 'append');

create table tenor.transfers (
    tenant_id uuid not null,
    id uuid not null,
    effective_at timestamptz not null,
    debit_account_id uuid not null,
    credit_account_id uuid not null,
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null,
    customer_id uuid not null,
    source_type text not null check (source_type in ('invoice', 'credit_note')),
    source_id uuid not null,
    kind text not null check (kind ~ '^[a-z][a-z_]{0,62}$'),
    recorded_at timestamptz not null default now(),
    primary key (tenant_id, id, effective_at),
    check (debit_account_id <> credit_account_id),
    foreign key (tenant_id, debit_account_id, currency) references tenor.accounts (tenant_id, id, currency),
    foreign key (tenant_id, credit_account_id, currency) references tenor.accounts (tenant_id, id, currency),
    foreign key (tenant_id, customer_id) references tenor.customers (tenant_id, id)
) partition by range (effective_at);
create index transfers_by_source on tenor.transfers (tenant_id, source_id);
create index transfers_by_customer on tenor.transfers (tenant_id, customer_id);
select tenor.protect('tenor.transfers', 'append');

-- What each customer has to their credit: the balance of their part of the account customer_credit, kept so that a
-- draw can be refused by the database. `tenor prove` compares it with the transfers.
create table tenor.customer_credits (
    tenant_id uuid not null,
    customer_id uuid not null,
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    balance_minor bigint not null check (balance_minor >= 0),
    primary key (tenant_id, customer_id, currency),
    foreign key (tenant_id, customer_id) references tenor.customers (tenant_id, id)
);
select tenor.protect('tenor.customer_credits', 'update');
