-- What people decide about documents: adjustments, credits, payments, write-offs, refunds; and what a document is for.

-- A document may stand on several subscriptions, or on none; a credit note may name the invoice that it takes back.
alter table tenor.invoices
    alter column subscription_id drop not null,
    add column due_on date,
    add column po_number text not null default '' check (length(po_number) <= 200),
    add column credits_invoice_id uuid,
    add column tax_note text not null default '',
    add column settles text not null default 'balance' check (settles in ('balance', 'refund')),
    drop constraint invoices_kind_check,
    drop constraint invoices_check1,
    add constraint invoices_kind_check check (kind in ('invoice', 'one_off', 'credit_note')),
    add constraint invoices_due_check check (
        case kind when 'credit_note' then total_minor <= 0 and credit_applied_minor = 0 and due_minor = 0
                  else total_minor >= 0 and due_minor = total_minor - credit_applied_minor and due_minor >= 0 end),
    add constraint invoices_only_a_credit_note_gives_back check (
        kind = 'credit_note' or (credits_invoice_id is null and settles = 'balance'));

-- The other references of this file are new columns without a value: nothing to be seen, so nobody looks.
select set_config('tenor.tenant_id', '00000000-0000-0000-0000-000000000000', true);
alter table tenor.invoices
    add foreign key (tenant_id, credits_invoice_id) references tenor.invoices (tenant_id, id) deferrable initially deferred;
create index invoices_by_credited on tenor.invoices (tenant_id, credits_invoice_id) where credits_invoice_id is not null;

-- What a person decided that a customer owes (positive) or gets (negative), beside all plans. Invoicing 'now' has a
-- document of its own, 'next_invoice' waits for the next document of the subscription, else of the customer.
create table tenor.adjustments (
    tenant_id uuid not null,
    id uuid not null,
    kind text not null check (kind in ('one_off', 'manual_credit', 'sla_credit')),
    customer_id uuid not null,
    subscription_id uuid,
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint not null check (amount_minor <> 0),
    description text not null check (description <> '' and length(description) <= 500),
    tax_category text not null default 'standard' check (tax_category ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
    period_start timestamptz not null,
    period_end timestamptz not null,
    reason text not null check (reason <> '' and length(reason) <= 2000),
    clause text not null default '' check (length(clause) <= 500),
    invoicing text not null check (invoicing in ('now', 'next_invoice')),
    created_at timestamptz not null,
    actor text not null,
    primary key (tenant_id, id),
    check (period_end > period_start),
    check ((kind = 'one_off') = (amount_minor > 0)),
    check ((kind = 'sla_credit') = (clause <> '')),
    foreign key (tenant_id, customer_id) references tenor.customers (tenant_id, id),
    foreign key (tenant_id, subscription_id) references tenor.subscriptions (tenant_id, id)
);
create index adjustments_by_customer on tenor.adjustments (tenant_id, customer_id);
select tenor.protect('tenor.adjustments', 'append');

-- The guard against billing an adjustment twice.
create table tenor.adjustment_claims (
    tenant_id uuid not null,
    adjustment_id uuid not null,
    invoice_id uuid not null,
    primary key (tenant_id, adjustment_id),
    foreign key (tenant_id, adjustment_id) references tenor.adjustments (tenant_id, id),
    foreign key (tenant_id, invoice_id) references tenor.invoices (tenant_id, id) deferrable initially deferred
);
create index adjustment_claims_by_invoice on tenor.adjustment_claims (tenant_id, invoice_id);
select tenor.protect('tenor.adjustment_claims', 'append');

-- A line is for a charge of a plan or for an adjustment. `taxes` are the parts of its tax by rate; null where the
-- document's one percentage says it all.
alter table tenor.invoice_lines
    alter column item_id drop not null,
    alter column charge_id drop not null,
    add column subscription_id uuid,
    add column adjustment_id uuid,
    add column taxes jsonb,
    add column tax_category text not null default 'standard',
    add constraint invoice_lines_are_for_one_thing check (
        case when adjustment_id is null then item_id is not null and charge_id is not null
             else item_id is null and charge_id is null and dimension = '' end);
alter table tenor.invoice_lines
    add foreign key (tenant_id, adjustment_id) references tenor.adjustments (tenant_id, id);
create index invoice_lines_by_adjustment on tenor.invoice_lines (tenant_id, adjustment_id) where adjustment_id is not null;
select set_config('tenor.tenant_id', '', true);

-- What was billed for a key and is given up for good: what is owed of the key is less by it, so that no later
-- settlement asks for it again.
create table tenor.waivers (
    tenant_id uuid not null,
    id uuid not null,
    item_id uuid not null,
    charge_id uuid not null,
    dimension text not null,
    period_start timestamptz not null,
    period_end timestamptz not null,
    amount_minor bigint not null check (amount_minor > 0),
    reason text not null check (reason <> ''),
    credit_note_id uuid not null,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, credit_note_id, item_id, charge_id, dimension, period_start),
    check (period_end > period_start),
    foreign key (tenant_id, item_id) references tenor.subscription_items (tenant_id, id),
    foreign key (tenant_id, charge_id) references tenor.charges (tenant_id, id),
    foreign key (tenant_id, credit_note_id) references tenor.invoices (tenant_id, id) deferrable initially deferred
);
create index waivers_by_item on tenor.waivers (tenant_id, item_id);
select tenor.protect('tenor.waivers', 'append');

-- How a customer is billed. The row without a customer is the tenant's own; a column without a value takes the
-- tenant's, and where that has none, what the engine does by default.
create table tenor.billing_settings (
    tenant_id uuid not null references tenor.tenants,
    id uuid not null,
    customer_id uuid,
    payment_terms_kind text check (payment_terms_kind in ('net', 'end_of_month')),
    payment_terms_days bigint check (payment_terms_days between 0 and 365),
    po_number text check (length(po_number) <= 200),
    consolidates boolean,
    negative_total text check (negative_total in ('balance', 'refund')),
    grace_days bigint check (grace_days between 0 and 366),
    primary key (tenant_id, id),
    check (id = coalesce(customer_id, tenant_id)),
    check ((payment_terms_kind is null) = (payment_terms_days is null)),
    foreign key (tenant_id, customer_id) references tenor.customers (tenant_id, id)
);
select tenor.protect('tenor.billing_settings', 'update');

-- How a document stands. One that has no row is as it was finalised: nothing of what is due on it has been discharged.
create table tenor.document_states (
    tenant_id uuid not null,
    invoice_id uuid not null,
    status text not null check (status in ('draft', 'finalized', 'paid', 'void', 'uncollectible')),
    due_minor bigint not null check (due_minor >= 0),
    paid_minor bigint not null default 0 check (paid_minor >= 0),
    credited_minor bigint not null default 0 check (credited_minor >= 0),
    written_off_minor bigint not null default 0 check (written_off_minor >= 0),
    changed_at timestamptz not null,
    primary key (tenant_id, invoice_id),
    check (paid_minor + credited_minor + written_off_minor <= due_minor),
    foreign key (tenant_id, invoice_id) references tenor.invoices (tenant_id, id) deferrable initially deferred
);
select tenor.protect('tenor.document_states', 'update');

create table tenor.payments (
    tenant_id uuid not null,
    id uuid not null,
    customer_id uuid not null,
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint not null check (amount_minor > 0),
    received_at timestamptz not null,
    method text not null check (method <> '' and length(method) <= 100),
    reference text not null check (reference <> '' and length(reference) <= 200),
    primary key (tenant_id, id),
    unique (tenant_id, reference),
    foreign key (tenant_id, customer_id) references tenor.customers (tenant_id, id)
);
create index payments_by_customer on tenor.payments (tenant_id, customer_id, received_at);
select tenor.protect('tenor.payments', 'append');

-- What a payment, or a credit note, discharges of an invoice.
create table tenor.allocations (
    tenant_id uuid not null,
    id uuid not null,
    invoice_id uuid not null,
    payment_id uuid,
    credit_note_id uuid,
    amount_minor bigint not null check (amount_minor > 0),
    allocated_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, payment_id, invoice_id),
    unique (tenant_id, credit_note_id, invoice_id),
    check (num_nonnulls(payment_id, credit_note_id) = 1),
    foreign key (tenant_id, invoice_id) references tenor.invoices (tenant_id, id) deferrable initially deferred,
    foreign key (tenant_id, payment_id) references tenor.payments (tenant_id, id),
    foreign key (tenant_id, credit_note_id) references tenor.invoices (tenant_id, id) deferrable initially deferred
);
create index allocations_by_invoice on tenor.allocations (tenant_id, invoice_id);
select tenor.protect('tenor.allocations', 'append');

-- What is given up as lost of an invoice; a negative amount takes it back, because it was paid or credited after all.
create table tenor.write_offs (
    tenant_id uuid not null,
    id uuid not null,
    invoice_id uuid not null,
    amount_minor bigint not null check (amount_minor <> 0),
    reason text not null check (reason <> ''),
    written_off_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, invoice_id) references tenor.invoices (tenant_id, id) deferrable initially deferred
);
create index write_offs_by_invoice on tenor.write_offs (tenant_id, invoice_id);
select tenor.protect('tenor.write_offs', 'append');

-- What is to be sent back: of a customer's credit, or the total of a credit note that is settled by a refund.
create table tenor.refund_requests (
    tenant_id uuid not null,
    id uuid not null,
    customer_id uuid not null,
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint not null check (amount_minor > 0),
    credit_note_id uuid,
    status text not null check (status in ('requested', 'done')),
    reason text not null,
    requested_at timestamptz not null,
    done_at timestamptz,
    reference text not null default '' check (length(reference) <= 200),
    primary key (tenant_id, id),
    unique (tenant_id, credit_note_id),
    check ((status = 'done') = (done_at is not null)),
    foreign key (tenant_id, customer_id) references tenor.customers (tenant_id, id),
    foreign key (tenant_id, credit_note_id) references tenor.invoices (tenant_id, id) deferrable initially deferred
);
create index refund_requests_by_customer on tenor.refund_requests (tenant_id, customer_id);
select tenor.protect('tenor.refund_requests', 'update');

create table tenor.receipts (
    tenant_id uuid not null,
    payment_id uuid not null,
    series text not null,
    number bigint not null check (number > 0),
    issued_at timestamptz not null,
    primary key (tenant_id, payment_id),
    unique (tenant_id, series, number),
    foreign key (tenant_id, payment_id) references tenor.payments (tenant_id, id)
);
select tenor.protect('tenor.receipts', 'append');

-- Previews with a number: they claim nothing and are booked nowhere. Lines as the document would hold them.
create table tenor.proformas (
    tenant_id uuid not null,
    id uuid not null,
    series text not null,
    number bigint not null check (number > 0),
    customer_id uuid not null,
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    tax_mode text not null check (tax_mode in ('exclusive', 'inclusive')),
    issued_at timestamptz not null,
    due_on date,
    po_number text not null,
    tax_note text not null,
    net_minor bigint not null,
    tax_minor bigint not null,
    total_minor bigint not null check (total_minor = net_minor + tax_minor),
    lines jsonb not null,
    primary key (tenant_id, id),
    unique (tenant_id, series, number),
    foreign key (tenant_id, customer_id) references tenor.customers (tenant_id, id)
);
create index proformas_by_customer on tenor.proformas (tenant_id, customer_id);
select tenor.protect('tenor.proformas', 'append');

-- The key that a caller gave to what it had made, so that a repeated call finds it instead of making it twice.
create table tenor.request_keys (
    tenant_id uuid not null references tenor.tenants,
    operation text not null check (operation ~ '^[a-z][a-z_]{0,62}$'),
    key text not null check (key <> '' and length(key) <= 200),
    request_digest bytea not null check (length(request_digest) = 32),
    made_id uuid not null,
    primary key (tenant_id, operation, key)
);
select tenor.protect('tenor.request_keys', 'append');

alter table tenor.transfers
    drop constraint transfers_source_type_check,
    add constraint transfers_source_type_check
        check (source_type in ('invoice', 'one_off', 'credit_note', 'payment', 'write_off', 'refund_request'));

-- How many subscriptions a batch gave an outcome: fewer than were planned where an operation settled one meanwhile, more
-- where one has fallen due. Null while it is open, and in batches before there was this column.
alter table tenor.bill_run_batches add column outcome_count bigint check (outcome_count >= 0);

-- Operations make partitions too, side by side. Who has waited for another one must see what that one has made:
-- to_regclass may answer from what the session remembers, a query of the catalogue does not.
create or replace function tenor.ensure_month_partitions(parent regclass, from_month date, to_month date) returns integer
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    first_month timestamp := date_trunc('month', from_month::timestamp);
    last_month timestamp := date_trunc('month', to_month::timestamp);
    month timestamp;
    parent_name name;
    is_append_only boolean;
    partition text;
    made integer := 0;
    tenant text := coalesce(current_setting('tenor.tenant_id', true), '');
begin
    if first_month is null or last_month is null or first_month < '1970-01-01' or last_month >= '2100-01-01'
        or last_month < first_month or last_month >= first_month + interval '240 months'
    then
        raise exception 'partitions from % through % are not 1 to 240 months of the years 1970 to 2099',
            from_month, to_month using errcode = 'invalid_parameter_value';
    end if;
    select relname into parent_name
    from pg_class join pg_partitioned_table on partrelid = pg_class.oid
    where pg_class.oid = parent and relnamespace = 'tenor'::regnamespace and partstrat = 'r' and partnatts = 1;
    if parent_name is null then
        raise exception '% is not a table of Tenor that is partitioned by time', parent
            using errcode = 'invalid_parameter_value';
    end if;
    for month in select generate_series(first_month, last_month, interval '1 month') loop
        partition := format('tenor.%I', parent_name || to_char(month, '"_y"YYYY"m"MM'));
        continue when to_regclass(partition) is not null;
        if made = 0 then  -- one process makes partitions at a time; what it made meanwhile is seen below
            perform pg_advisory_xact_lock(hashtextextended('tenor partitions of ' || parent_name, 0));
            select exists (select from pg_trigger where tgrelid = parent and tgname = 'append_only')
            into is_append_only;
            -- Attaching looks for rows that break a foreign key. A new partition has none, so it looks as nobody.
            perform set_config('tenor.tenant_id', '00000000-0000-0000-0000-000000000000', true);
            continue when exists (
                select from pg_class where relnamespace = 'tenor'::regnamespace
                and relname = parent_name || to_char(month, '"_y"YYYY"m"MM'));
        end if;
        execute format(
            'create table %s (like %s including all excluding indexes excluding identity excluding statistics)',
            partition, parent);
        perform tenor.isolate(partition::regclass, is_append_only);
        execute format(
            'alter table %s attach partition %s for values from (%L) to (%L)', parent, partition,
            to_char(month, 'YYYY-MM-DD 00:00:00+00'), to_char(month + interval '1 month', 'YYYY-MM-DD 00:00:00+00'));
        made := made + 1;
    end loop;
    perform set_config('tenor.tenant_id', tenant, true);
    return made;
end $$;
