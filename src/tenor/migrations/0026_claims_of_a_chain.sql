-- What a chain of claims is about is checked where it begins.

-- Each claim but the first of its chain refers to the one before it, by item and charge: through `follows`, or through
-- `previous_no` where it settles its period anew. Both lead back in time, or to a lower number, so every chain ends at a
-- first claim. If that names an item and a charge that exist, all of them do.
alter table tenor.claims
    add column first_item_id uuid
        generated always as (case when follows is null and settlement_no = 1 then item_id end) stored,
    add column first_charge_id uuid
        generated always as (case when follows is null and settlement_no = 1 then charge_id end) stored;

alter table tenor.claims no force row level security;
alter table tenor.subscription_items no force row level security;
alter table tenor.charges no force row level security;
alter table tenor.claims
    add foreign key (tenant_id, first_item_id) references tenor.subscription_items (tenant_id, id),
    add foreign key (tenant_id, first_charge_id) references tenor.charges (tenant_id, id),
    drop constraint claims_tenant_id_item_id_fkey,
    drop constraint claims_tenant_id_charge_id_fkey;
alter table tenor.claims force row level security;
alter table tenor.subscription_items force row level security;
alter table tenor.charges force row level security;
