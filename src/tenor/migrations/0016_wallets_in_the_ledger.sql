-- Wallets are booked in the ledger: what was paid for a grant is owed to the customer until it is used, lapses or is
-- voided. What is set aside of a grant is kept beside what it has left, because both are still owed.

alter table tenor.transfers
    drop constraint transfers_source_type_check,
    add constraint transfers_source_type_check check (source_type in (
        'invoice', 'one_off', 'credit_note', 'payment', 'write_off', 'refund_request', 'wallet'));

alter table tenor.credit_grants
    add column reserved numeric(27, 12) not null default 0 check (reserved <> 'NaN' and reserved >= 0),
    -- What the cost was paid from: money that was received, a document that billed it ahead, what was owed back.
    add column paid_from text not null default 'cash' check (paid_from in ('cash', 'invoice', 'customer_credit')),
    add check (remaining + reserved <= amount);
grant update (reserved) on tenor.credit_grants to tenor_app;

-- What a use pays of a document, in minor units; null: it pays none.
alter table tenor.wallet_uses
    add column paid_minor bigint check (paid_minor >= 0),
    add check (paid_minor is null or (status = 'used' and uncovered = 0));
grant update (paid_minor) on tenor.wallet_uses to tenor_app;

-- What a plan promises: credit that recurs while a subscription is entitled to it. A change of what is promised gives
-- the difference to what was issued of the running interval, so that no change to and fro is worth anything.
alter table tenor.recurring_grants
    add column subscription_id uuid,
    add column timezone text not null default 'UTC' check (timezone <> ''),
    add column rollover_min numeric(27, 12) not null default 0 check (rollover_min <> 'NaN' and rollover_min >= 0),
    -- How long a grant lasts; null: until the next one.
    add column lasts text check (lasts ~ '^[1-9][0-9]{0,2} (hour|day|week|month|year)$'),
    add column issued numeric(27, 12) not null default 0 check (issued <> 'NaN' and issued >= 0),
    add column issued_until timestamptz,
    add check (rollover_min <= rollover_max),
    add check (lasts is null or rollover_max = 0),
    drop constraint recurring_grants_tenant_id_wallet_id_code_key,
    add constraint recurring_grants_once
        unique nulls not distinct (tenant_id, wallet_id, subscription_id, code),
    no force row level security;
alter table tenor.subscriptions no force row level security;
alter table tenor.recurring_grants
    add foreign key (tenant_id, subscription_id) references tenor.subscriptions (tenant_id, id);
update tenor.recurring_grants set issued = amount, issued_until = next_at where next_at is not null;
alter table tenor.subscriptions force row level security;
alter table tenor.recurring_grants force row level security;
create index recurring_grants_of_subscription on tenor.recurring_grants (tenant_id, subscription_id)
    where subscription_id is not null;
grant update (amount, every, anchor, timezone, priority, category, features, rollover_min, rollover_max, lasts, issued,
              issued_until) on tenor.recurring_grants to tenor_app;
create index plan_versions_with_credits on tenor.plan_versions (tenant_id, id) where definition ? 'credits';
