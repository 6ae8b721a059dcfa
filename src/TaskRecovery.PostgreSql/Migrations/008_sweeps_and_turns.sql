-- oldest library: 0.1.0
-- partly: a sweep has taken entries out of this claim and left the others, because callers' transactions were about to end them.
alter table {schema}.claims add column partly boolean not null default false;

-- A dead node without claims. The heartbeat asks for dead nodes without this mark, so that it need not read claims.
alter table {schema}.nodes add column swept_at timestamptz;
update {schema}.nodes n set swept_at = n.dead_at
where n.dead_at is not null and not exists (select from {schema}.claims c where c.node = n.number);
create index nodes_unswept_idx on {schema}.nodes (number) where dead_at is not null and swept_at is null;

-- One living node per name that is its own.
update {schema}.nodes n set named = false
where n.named and n.dead_at is null
    and exists (select from {schema}.nodes o where o.name = n.name and o.named and o.dead_at is null and o.number < n.number);
create unique index nodes_name_key on {schema}.nodes (name) where named and dead_at is null;

-- What one node does at a time, held by a lock on its row.
create table {schema}.turns (
    name text primary key,
    taken_at timestamptz not null default clock_timestamp()
);
insert into {schema}.turns (name) values ('retention');
