-- Documents are paid by wallets, line by line, and credit is sold by documents.

-- Which lines a wallet pays: those of usage, or all.
alter table tenor.wallets
    add column pays text not null default 'usage' check (pays in ('usage', 'everything'));

-- What wallets paid of a document, tax included; negative on a credit note, which gives it back to them.
alter table tenor.invoices
    add column prepaid_minor bigint not null default 0,
    drop constraint invoices_due_check,
    add constraint invoices_due_check check (
        case kind when 'credit_note' then total_minor <= prepaid_minor and prepaid_minor <= 0
                                          and credit_applied_minor = 0 and due_minor = 0
                  else total_minor >= prepaid_minor and prepaid_minor >= 0 and due_minor >= 0
                       and due_minor = total_minor - prepaid_minor - credit_applied_minor end);

-- One use of a wallet pays one line of one document, and credit notes give back of it.
create table tenor.wallet_payments (
    tenant_id uuid not null,
    invoice_id uuid not null,
    line_no bigint not null check (line_no > 0),
    wallet_id uuid not null,
    use_id uuid not null,
    unit text not null,
    amount numeric(27, 12) not null check (amount <> 'NaN' and amount * paid_minor >= 0),
    paid_minor bigint not null check (paid_minor <> 0),
    primary key (tenant_id, invoice_id, line_no, use_id),
    foreign key (tenant_id, invoice_id) references tenor.invoices (tenant_id, id) deferrable initially deferred,
    foreign key (tenant_id, wallet_id, use_id) references tenor.wallet_uses (tenant_id, wallet_id, id)
);
create unique index wallet_payments_pay_once on tenor.wallet_payments (tenant_id, use_id) where paid_minor > 0;
create index wallet_payments_by_use on tenor.wallet_payments (tenant_id, use_id);
select tenor.protect('tenor.wallet_payments', 'append');

-- Credit that was sold: the adjustment bills it, and it is granted when it is paid, or at once.
alter table tenor.adjustments
    drop constraint adjustments_kind_check,
    drop constraint adjustments_check1,
    add constraint adjustments_kind_check check (kind in ('one_off', 'manual_credit', 'sla_credit', 'credit_purchase')),
    add constraint adjustments_sign_check check ((kind in ('one_off', 'credit_purchase')) = (amount_minor > 0));

-- A top-up that an invoice bills is paid by paying that.
alter table tenor.top_up_orders add column is_invoiced boolean not null default false;
grant update (is_invoiced) on tenor.top_up_orders to tenor_app;

create table tenor.credit_purchases (
    tenant_id uuid not null,
    adjustment_id uuid not null,
    wallet_id uuid not null,
    amount numeric(27, 12) not null check (amount <> 'NaN' and amount > 0),
    -- What was asked for it without tax: what the grant costs.
    net_minor bigint not null check (net_minor >= 0 and net_minor < 4611686018427387904),
    priority bigint not null check (priority between 0 and 255),
    features text[] not null check (cardinality(features) <= 100),
    -- How long the grant can be used; null: without end.
    lasts text check (lasts ~ '^[1-9][0-9]{0,2} (hour|day|week|month|year)$'),
    top_up_id uuid,
    status text not null check (status in ('pending', 'granted', 'failed')),
    grant_id uuid,
    settled_at timestamptz,
    primary key (tenant_id, adjustment_id),
    unique (tenant_id, top_up_id),
    check ((status = 'pending') = (settled_at is null)),
    check ((status = 'granted') = (grant_id is not null)),
    foreign key (tenant_id, adjustment_id) references tenor.adjustments (tenant_id, id),
    foreign key (tenant_id, wallet_id) references tenor.wallets (tenant_id, id),
    foreign key (tenant_id, top_up_id) references tenor.top_up_orders (tenant_id, id),
    foreign key (tenant_id, wallet_id, grant_id) references tenor.credit_grants (tenant_id, wallet_id, id)
);
select tenor.protect('tenor.credit_purchases', 'update');
revoke update on tenor.credit_purchases from tenor_app;
grant update (status, grant_id, settled_at) on tenor.credit_purchases to tenor_app;
