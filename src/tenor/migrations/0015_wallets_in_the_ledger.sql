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
