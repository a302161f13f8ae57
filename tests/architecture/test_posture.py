"""The posture of the schema, read from the catalogue: what every table, partition, view, function and role must be.

The rules hold for whatever later migrations add. Each comes with a plant, a change that breaks it, and
must find that plant: a rule that cannot fail protects nothing.
"""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tenor.platform.database import Connection, Database
from tests.support.postgres import Server

WITHOUT_TENANT = ("tenor_migrations",)
"""Tables that hold no tenant's data, and that the application may not touch."""

UNIQUE_ACROSS_TENANTS = ("tenants_slug_key",)
"""Unique keys that do not start with tenant_id: the operator's own names, which no tenant can write."""

DEFINER_FUNCTIONS = ("ensure_month_partitions", "forget_expired_answers", "refresh_statistics")
"""Functions that run as the owner."""

TABLES = """
    tables as (
        select c.oid, c.relname, c.relacl, c.relowner, c.relispartition,
               exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'append_only') as is_append_only
        from pg_class c
        where c.relnamespace = 'tenor'::regnamespace and c.relkind in ('r', 'p')
        and c.relname <> all(%(without_tenant)s)
    ),
    columns as (
        select t.relname, t.oid as table_oid, a.attnum, a.attname, a.attnotnull, a.atttypmod,
               coalesce(nullif(y.typelem, 0), y.oid) as base_type, y.oid as type
        from tables t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
        join pg_type y on y.oid = a.atttypid
    ),
    grants as (
        select c.relname, c.relkind, c.relispartition,
               coalesce(r.rolname, 'public') as grantee, acl.privilege_type as privilege,
               exists (select from tables t where t.oid = c.oid and t.is_append_only) as is_append_only
        from pg_class c cross join lateral (
            select * from aclexplode(c.relacl)
            union all
            select x.* from pg_attribute a, aclexplode(a.attacl) x where a.attrelid = c.oid
        ) acl left join pg_roles r on r.oid = acl.grantee
        where c.relnamespace = 'tenor'::regnamespace and acl.grantee <> c.relowner
    )
"""


class Rule(NamedTuple):
    """`query` selects the names that break the rule; `plant` breaks it, and the rule must then name `found`."""

    name: str
    query: str
    plant: str
    found: str


SCRATCH = "create table tenor.scratch (tenant_id uuid not null, id bigint not null, primary key (tenant_id, id)); "
PROTECTED = SCRATCH + "select tenor.protect('tenor.scratch', 'update'); "
PARTITIONED = """
    create table tenor.scratch (tenant_id uuid not null, at timestamptz not null, primary key (tenant_id, at))
        partition by range (at);
    select tenor.protect('tenor.scratch', 'append');
"""

RULES = [
    Rule(
        "every table has the column tenant_id, a uuid that is never null",
        """
        select relname from tables where not exists (
            select from columns where table_oid = tables.oid and attname = 'tenant_id'
                and type = 'uuid'::regtype and attnotnull)
        """,
        "create table tenor.scratch (id bigint)",
        "scratch",
    ),
    Rule(
        "row-level security is on and forced",
        """
        select relname from tables join pg_class c using (oid, relname)
        where not (c.relrowsecurity and c.relforcerowsecurity)
        """,
        PROTECTED + "alter table tenor.scratch no force row level security",
        "scratch",
    ),
    Rule(
        "row-level security is on and forced, on partitions too",
        """
        select relname from tables join pg_class c using (oid, relname)
        where c.relispartition and not (c.relrowsecurity and c.relforcerowsecurity)
        """,
        PARTITIONED
        + "create table tenor.part partition of tenor.scratch for values from ('2025-01-01') to ('2025-02-01')",
        "part",
    ),
    Rule(
        "each table has exactly one policy: permissive, for everybody and every command, on the tenant, both ways",
        """
        select relname from tables left join pg_policy p on p.polrelid = tables.oid
        group by tables.oid, relname
        having count(p.oid) <> 1 or not bool_and(
            p.polpermissive and p.polcmd = '*' and p.polroles = '{0}'
            and pg_get_expr(p.polqual, p.polrelid) = '(tenant_id = ( SELECT current_tenant() AS current_tenant))'
            and pg_get_expr(p.polwithcheck, p.polrelid) = pg_get_expr(p.polqual, p.polrelid))
        """,
        PROTECTED + "create policy generous on tenor.scratch for select using (true)",
        "scratch",
    ),
    Rule(
        "a policy checks what is written as well as what is read",
        """
        select relname from tables join pg_policy p on p.polrelid = tables.oid
        where p.polqual is null or p.polwithcheck is null
        """,
        SCRATCH + "create policy half on tenor.scratch using (tenant_id = (select tenor.current_tenant()))",
        "scratch",
    ),
    Rule(
        "each table has a primary key",
        "select relname from tables where oid not in (select indrelid from pg_index where indisprimary)",
        "create table tenor.scratch (tenant_id uuid not null); select tenor.protect('tenor.scratch', 'read')",
        "scratch",
    ),
    Rule(
        "primary and unique keys start with tenant_id",
        """
        select i.relname from tables join pg_index x on x.indrelid = tables.oid join pg_class i on i.oid = x.indexrelid
        left join pg_attribute a on a.attrelid = tables.oid and a.attnum = x.indkey[0]
        where x.indisunique and a.attname is distinct from 'tenant_id' and i.relname <> all(%(unique_across_tenants)s)
        """,
        PROTECTED + "create unique index scratch_id on tenor.scratch (id)",
        "scratch_id",
    ),
    Rule(
        "an exclusion constraint holds within a tenant",
        """
        select k.conname from pg_constraint k join columns on columns.table_oid = k.conrelid and attname = 'tenant_id'
        where k.contype = 'x' and attnum <> all(k.conkey)
        """,
        PROTECTED + "alter table tenor.scratch add constraint alone exclude using btree (id with =)",
        "alone",
    ),
    Rule(
        "a foreign key carries the tenant along, and never cascades",
        """
        select k.conname from pg_constraint k join tables on tables.oid = k.conrelid
        where k.contype = 'f' and (
            k.confdeltype not in ('a', 'r') or k.confupdtype not in ('a', 'r')
            or not exists (
                select from unnest(k.conkey, k.confkey) as pair (child, parent)
                join pg_attribute c on c.attrelid = k.conrelid and c.attnum = child and c.attname = 'tenant_id'
                join pg_attribute p on p.attrelid = k.confrelid and p.attnum = parent and p.attname = 'tenant_id'))
        """,
        """
        create table tenor.parent (tenant_id uuid not null, id bigint not null unique, primary key (tenant_id, id));
        create table tenor.scratch (
            tenant_id uuid not null, id bigint not null, primary key (tenant_id, id),
            constraint loose foreign key (id) references tenor.parent (id));
        """,
        "loose",
    ),
    Rule(
        "a view asks with the rights of who asks, and no view stores rows",
        """
        select relname from pg_class where relnamespace = 'tenor'::regnamespace
        and (relkind = 'm'
             or relkind = 'v' and coalesce(array_to_string(reloptions, ',') !~ 'security_invoker=(true|on)', true))
        """,
        PROTECTED + "create view tenor.peephole as select * from tenor.scratch",
        "peephole",
    ),
    Rule(
        "only functions of the list run as the owner",
        """
        select proname from pg_proc where pronamespace = 'tenor'::regnamespace and prosecdef
        and proname <> all(%(definer_functions)s)
        """,
        "create function tenor.sudo() returns void language sql security definer set search_path = pg_catalog as ''",
        "sudo",
    ),
    Rule(
        "a function of plpgsql has a fixed search_path",
        """
        select proname from pg_proc join pg_language l on l.oid = prolang
        where pronamespace = 'tenor'::regnamespace and (prosecdef or lanname = 'plpgsql')
        and not coalesce(array_to_string(proconfig, ',') ~ 'search_path=(pg_catalog|tenor), pg_temp', false)
        """,
        "create function tenor.adrift() returns void language plpgsql as 'begin end'",
        "adrift",
    ),
    Rule(
        "nobody but the owner may run a function unless it was granted",
        """
        select proname from pg_proc where pronamespace = 'tenor'::regnamespace
        and (proacl is null or exists (select from aclexplode(proacl) where grantee = 0))
        """,
        "create function tenor.open() returns void language sql as ''; grant execute on function tenor.open to public",
        "open",
    ),
    Rule(
        "no column is an ENUM, whose comparison cannot use an index under row-level security",
        "select relname || '.' || attname from columns join pg_type on pg_type.oid = base_type where typtype = 'e'",
        PROTECTED + "create type tenor.mood as enum ('ok'); alter table tenor.scratch add column mood tenor.mood[]",
        "scratch.mood",
    ),
    Rule(
        "no key is narrower than eight bytes",
        """
        select relname || '.' || attname from columns
        where type in ('int2'::regtype, 'int4'::regtype)
        and exists (select from pg_index where indrelid = table_oid and attnum = any(indkey))
        """,
        PROTECTED
        + "alter table tenor.scratch add column number integer; create index on tenor.scratch (tenant_id, number)",
        "scratch.number",
    ),
    Rule(
        "amounts are bigint, nothing is a float, and an instant has a zone",
        """
        select relname || '.' || attname from columns
        where attname ~ '_minor$' and type <> 'bigint'::regtype
        or base_type in ('float4'::regtype, 'float8'::regtype, 'money'::regtype, 'timestamp'::regtype)
        """,
        PROTECTED + "alter table tenor.scratch add column amount_minor numeric(10, 0) check (amount_minor <> 'NaN')",
        "scratch.amount_minor",
    ),
    Rule(
        "a numeric column is bounded and refuses NaN",
        """
        select relname || '.' || attname from columns
        where base_type = 'numeric'::regtype and not exists (
            select from pg_constraint where conrelid = table_oid and contype = 'c' and attnum = any(conkey)
            and pg_get_constraintdef(oid) ~ 'NaN' and (atttypmod <> -1 or pg_get_constraintdef(oid) ~ 'abs'))
        """,
        PROTECTED + "alter table tenor.scratch add column price numeric(27, 12)",
        "scratch.price",
    ),
    Rule(
        "a table's month has a partition or refuses the row: there is no default partition to hide it",
        "select c.relname from tables join pg_class c using (oid) where pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT'",
        PARTITIONED + "create table tenor.part partition of tenor.scratch default",
        "part",
    ),
    Rule(
        "the application reads and writes, and never deletes, truncates, references or triggers",
        """
        select relname from grants
        where grantee = 'tenor_app' and privilege not in ('SELECT', 'INSERT', 'UPDATE')
        and (relkind, privilege) <> ('S', 'USAGE')
        """,
        PROTECTED + "grant delete on tenor.scratch to tenor_app",
        "scratch",
    ),
    Rule(
        "the auditor reads",
        "select relname from grants where grantee = 'tenor_auditor' and privilege <> 'SELECT'",
        PROTECTED + "grant insert on tenor.scratch to tenor_auditor",
        "scratch",
    ),
    Rule(
        "nobody else has a grant, not even on a column",
        "select relname from grants where grantee not in ('tenor_app', 'tenor_auditor')",
        PROTECTED + "grant select (id) on tenor.scratch to public",
        "scratch",
    ),
    Rule(
        "a partition is reached by its parent only",
        "select relname from grants where relispartition",
        PARTITIONED
        + """
        select tenor.ensure_month_partitions('tenor.scratch', '2025-01-01', '2025-01-01');
        grant select on tenor.scratch_y2025m01 to tenor_app;
        """,
        "scratch_y2025m01",
    ),
    Rule(
        "what may be added to but not changed is append-only for the owner too, in every partition",
        """
        select relname from tables where not is_append_only and (
            exists (select from grants g where g.relname = tables.relname and privilege = 'INSERT')
                and not exists (select from grants g where g.relname = tables.relname and privilege = 'UPDATE')
            or exists (select from pg_inherits join tables parent on parent.oid = inhparent
                       where inhrelid = tables.oid and parent.is_append_only))
        """,
        SCRATCH + "grant select, insert on tenor.scratch to tenor_app",
        "scratch",
    ),
    Rule(
        "nobody has a grant to change an append-only table, and its trigger cannot be slept through",
        """
        select relname from grants where is_append_only and privilege = 'UPDATE'
        union select relname from tables join pg_trigger on tgrelid = tables.oid
        where tgname = 'append_only' and (tgenabled <> 'A' or tgtype <> 58)
        """,  # 58: before update, delete or truncate, for each statement
        PARTITIONED + "alter table tenor.scratch enable trigger append_only",
        "scratch",
    ),
    Rule(
        "everything belongs to the owner",
        """
        select relname from pg_class
        where relnamespace = 'tenor'::regnamespace and relowner <> 'tenor_owner'::regrole
        """,
        "reset role; " + SCRATCH,
        "scratch",
    ),
    Rule(
        "the roles have no power of their own, and the application cannot become anybody",
        """
        select rolname from pg_roles where rolname in ('tenor_app', 'tenor_auditor', 'tenor_owner') and (
            rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls <> (rolname = 'tenor_auditor')
            or rolname <> 'tenor_owner' and exists (select from pg_auth_members where member = pg_roles.oid))
        """,
        "reset role; alter role tenor_app bypassrls",
        "tenor_app",
    ),
    Rule(
        "the application and the auditor create nothing in the schema",
        """
        select r.rolname from pg_roles r where rolname in ('tenor_app', 'tenor_auditor')
        and has_schema_privilege(r.rolname, 'tenor', 'create')
        """,
        "grant create on schema tenor to tenor_app",
        "tenor_app",
    ),
]


def offenders(connection: Connection, rule: Rule) -> list[str]:
    """Return what breaks `rule`, by name."""
    parameters = {
        "without_tenant": list(WITHOUT_TENANT),
        "unique_across_tenants": list(UNIQUE_ACROSS_TENANTS),
        "definer_functions": list(DEFINER_FUNCTIONS),
    }
    rows = connection.execute(f"with {TABLES} select distinct * from ({rule.query}) found order by 1", parameters)
    return [name for (name,) in rows]


@pytest.fixture(scope="module")
def schema(server: Server, template: str) -> Iterator[Database]:
    """A database of this module's own, where every partitioned table has partitions."""
    with server.fresh_database(template) as name, Database.open(server.settings(name)) as database:
        with database.owner() as connection:
            connection.execute(
                """
                select tenor.ensure_month_partitions(oid, '2025-01-01', '2025-02-01') from pg_class
                where relnamespace = 'tenor'::regnamespace and relkind = 'p'
                """
            )
        yield database


def test_the_schema_keeps_every_rule(schema: Database) -> None:
    with schema.owner() as connection:
        assert {rule.name: broken for rule in RULES if (broken := offenders(connection, rule))} == {}


@pytest.mark.parametrize("rule", RULES, ids=[rule.name for rule in RULES])
def test_each_rule_can_fail(schema: Database, rule: Rule) -> None:
    with schema.setup() as connection:
        connection.execute("begin; set local role tenor_owner")
        connection.execute(rule.plant)
        assert rule.found in offenders(connection, rule)
        connection.execute("rollback")


def test_the_lists_of_exceptions_name_what_exists(schema: Database) -> None:
    with schema.owner() as connection:
        relations = dict(connection.execute("select relname, relacl from pg_class").fetchall())
        functions = {name for (name,) in connection.execute("select proname from pg_proc where prosecdef")}

    assert relations.keys() >= {*WITHOUT_TENANT, *UNIQUE_ACROSS_TENANTS}
    assert functions >= set(DEFINER_FUNCTIONS)
    assert {relations[table] for table in WITHOUT_TENANT} == {None}  # no grant at all
