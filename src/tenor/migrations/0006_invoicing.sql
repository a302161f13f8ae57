-- Bill runs, legal documents with their lines, and the claims that refuse double billing.

create table tenor.bill_runs (
    tenant_id uuid not null references tenor.tenants,
    id uuid not null,
    as_of timestamptz not null,
    started_at timestamptz not null,
    planned_subscriptions bigint not null check (planned_subscriptions >= 0),
    planned_batches bigint not null check (planned_batches >= 0),
    finished_at timestamptz,
    primary key (tenant_id, id)
);
-- One run at a time for a tenant: a second one finds the first and goes on with it.
create unique index bill_runs_open on tenor.bill_runs (tenant_id) where finished_at is null;
select tenor.protect('tenor.bill_runs', 'update');

create table tenor.bill_run_batches (
    tenant_id uuid not null,
    run_id uuid not null,
    batch_no bigint not null check (batch_no > 0),
    first_subscription_id uuid not null,
    last_subscription_id uuid not null,
    subscription_count bigint not null check (subscription_count > 0),
    finished_at timestamptz,
    primary key (tenant_id, run_id, batch_no),
    foreign key (tenant_id, run_id) references tenor.bill_runs (tenant_id, id)
);
select tenor.protect('tenor.bill_run_batches', 'update');

-- The next legal number of each series. Taken in the transaction that finalises, so no number is ever lost.
create table tenor.document_series (
    tenant_id uuid not null references tenor.tenants,
    series text not null check (series ~ '^[A-Z0-9-]{1,20}$'),
    next_number bigint not null check (next_number > 0),
    primary key (tenant_id, series)
);
select tenor.protect('tenor.document_series', 'update');

create table tenor.invoices (
    tenant_id uuid not null,
    id uuid not null,
    kind text not null check (kind in ('invoice', 'credit_note')),
    series text not null,
    number bigint not null check (number > 0),
    customer_id uuid not null,
    subscription_id uuid not null,
    run_id uuid,
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    tax_mode text not null check (tax_mode in ('exclusive', 'inclusive')),
    tax_percent numeric(9, 6) not null check (tax_percent <> 'NaN' and tax_percent >= 0 and tax_percent <= 100),
    issued_at timestamptz not null,
    billed_for timestamptz not null,
    net_minor bigint not null,
    tax_minor bigint not null,
    total_minor bigint not null,
    credit_applied_minor bigint not null default 0 check (credit_applied_minor >= 0),
    due_minor bigint not null,
    line_count bigint not null check (line_count > 0),
    digest bytea not null check (length(digest) = 32),
    primary key (tenant_id, id),
    unique (tenant_id, series, number),
    check (total_minor = net_minor + tax_minor),
    check (case kind when 'invoice' then total_minor >= 0 and due_minor = total_minor - credit_applied_minor
                                         and due_minor >= 0
                     else total_minor < 0 and credit_applied_minor = 0 and due_minor = 0 end),
    foreign key (tenant_id, customer_id) references tenor.customers (tenant_id, id),
    foreign key (tenant_id, subscription_id) references tenor.subscriptions (tenant_id, id),
    foreign key (tenant_id, run_id) references tenor.bill_runs (tenant_id, id)
);
create index invoices_by_customer on tenor.invoices (tenant_id, customer_id, issued_at);
create index invoices_by_subscription on tenor.invoices (tenant_id, subscription_id, issued_at);
select tenor.protect('tenor.invoices', 'append');

create table tenor.invoice_lines (
    tenant_id uuid not null,
    invoice_id uuid not null,
    line_no bigint not null check (line_no > 0),
    issued_at timestamptz not null,
    item_id uuid not null,
    charge_id uuid not null,
    dimension text not null,
    period_start timestamptz not null,
    period_end timestamptz not null,
    description text not null,
    amount_minor bigint not null check (amount_minor <> 0),
    tax_minor bigint not null,
    is_deferred boolean not null,
    trace jsonb not null,
    primary key (tenant_id, invoice_id, line_no, issued_at),
    check (period_end > period_start),
    foreign key (tenant_id, invoice_id) references tenor.invoices (tenant_id, id) deferrable initially deferred
) partition by range (issued_at);
create index invoice_lines_by_key on tenor.invoice_lines (tenant_id, item_id, charge_id, period_start);
select tenor.protect('tenor.invoice_lines', 'append');

-- The guard against double billing. The first settlement of a service period claims it: its start must be the
-- end of the claim before it (follows), and both ends are unique, so periods of one charge cannot overlap or
-- leave a gap. Each later settlement takes the next number, so two runs that saw the same state cannot both write.
create table tenor.claims (
    tenant_id uuid not null,
    item_id uuid not null,
    charge_id uuid not null,
    period_start timestamptz not null,
    period_end timestamptz not null,
    settlement_no bigint not null check (settlement_no > 0),
    previous_no bigint check (previous_no = settlement_no - 1),
    follows timestamptz check (follows = period_start),
    first_no bigint generated always as (1) stored,
    amount_minor bigint not null,
    invoice_id uuid,
    primary key (tenant_id, item_id, charge_id, period_start, settlement_no),
    unique (tenant_id, item_id, charge_id, period_end, settlement_no),
    check (period_end > period_start),
    check ((settlement_no = 1) = (previous_no is null)),
    check (settlement_no = 1 or follows is null),
    check (invoice_id is not null or amount_minor = 0),
    foreign key (tenant_id, item_id, charge_id, follows, first_no)
        references tenor.claims (tenant_id, item_id, charge_id, period_end, settlement_no),
    foreign key (tenant_id, item_id, charge_id, period_start, previous_no)
        references tenor.claims (tenant_id, item_id, charge_id, period_start, settlement_no),
    foreign key (tenant_id, item_id) references tenor.subscription_items (tenant_id, id),
    foreign key (tenant_id, charge_id) references tenor.charges (tenant_id, id),
    foreign key (tenant_id, invoice_id) references tenor.invoices (tenant_id, id) deferrable initially deferred
);
create unique index claims_first_of_chain on tenor.claims (tenant_id, item_id, charge_id)
    where follows is null and settlement_no = 1;
select tenor.protect('tenor.claims', 'append');

-- One recorded outcome for each subscription that a run looked at.
create table tenor.bill_run_items (
    tenant_id uuid not null,
    run_id uuid not null,
    subscription_id uuid not null,
    outcome text not null check (outcome in ('invoiced', 'nothing_due', 'parked')),
    document_count bigint not null check ((outcome = 'invoiced') = (document_count > 0)),
    reason text check ((reason is not null) = (outcome = 'parked')),
    primary key (tenant_id, run_id, subscription_id),
    foreign key (tenant_id, run_id) references tenor.bill_runs (tenant_id, id),
    foreign key (tenant_id, subscription_id) references tenor.subscriptions (tenant_id, id)
);
select tenor.protect('tenor.bill_run_items', 'append');
