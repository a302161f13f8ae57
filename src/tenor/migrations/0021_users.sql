-- People of the tenant, who sign in: by a password of which an argon2id hash is kept, never by a key.
create table tenor.users (
    tenant_id uuid not null references tenor.tenants,
    id uuid not null,
    email text not null check (email = lower(email) and length(email) between 3 and 254),
    name text not null check (name <> '' and length(name) <= 200),
    role text not null check (role in ('owner', 'admin', 'finance', 'support', 'viewer')),
    password_hash text check (password_hash like '$argon2id$%'),
    -- Failed attempts to sign in since the last good one, and until when there may be no further one.
    failures bigint not null default 0 check (failures >= 0),
    locked_until timestamptz,
    created_at timestamptz not null,
    disabled_at timestamptz,
    primary key (tenant_id, id),
    unique (tenant_id, email)
);
select tenor.protect('tenor.users', 'update');

-- A session is had by signing in and found like a key: by the digest of a text that only its holder has.
create table tenor.sessions (
    tenant_id uuid not null,
    id uuid not null,
    user_id uuid not null,
    digest bytea not null check (length(digest) = 32),
    created_at timestamptz not null,
    expires_at timestamptz not null check (expires_at > created_at),
    ended_at timestamptz,
    primary key (tenant_id, id),
    unique (tenant_id, digest),
    foreign key (tenant_id, user_id) references tenor.users (tenant_id, id)
);
create index sessions_by_user on tenor.sessions (tenant_id, user_id) where ended_at is null;
select tenor.protect('tenor.sessions', 'update');
revoke update on tenor.sessions from tenor_app;
grant update (ended_at) on tenor.sessions to tenor_app;
