-- What a cap gave back of a period can be given up with the rest of an invoice: then it is not given back once more.

alter table tenor.waivers
    drop constraint waivers_amount_minor_check,
    add constraint waivers_amount_minor_check check (amount_minor <> 0);
