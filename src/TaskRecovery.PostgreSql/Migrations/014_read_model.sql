-- oldest library: 0.1.0
-- What nodes counted: one row for each minute, queue and kind in which something happened, and one for each hour.
create table {schema}.stats (
    hourly boolean not null,
    began_at timestamptz not null,
    queue integer not null,
    kind smallint not null,
    enqueued bigint not null default 0,
    completed bigint not null default 0,
    failed bigint not null default 0,
    cancelled bigint not null default 0,
    retried bigint not null default 0,
    snoozed bigint not null default 0,
    released bigint not null default 0,
    lost bigint not null default 0,
    run_ms bigint not null default 0,
    wait_ms bigint not null default 0,
    primary key (hourly, began_at, queue, kind)
) with (fillfactor = 70);

-- What happened to nodes, in recovery, and by operators. A row is written in the transaction of what it reports, and never changed.
create table {schema}.events (
    id bigint generated always as identity primary key,
    happened_at timestamptz not null default clock_timestamp(),
    kind smallint not null,
    node text,
    entry bigint,
    subject text,
    operation bigint,
    entries bigint,
    detail text,
    actor text,
    reason text,
    tool text,
    session_user_name text
);

create index events_entry_idx on {schema}.events (entry, id) where entry is not null;

-- Removes events by age only, and those without an actor by number too. A role that may not delete events can call it.
create function {schema}.remove_old_events() returns bigint language sql security definer set search_path = pg_catalog, pg_temp as $$
    with last as materialized (
        select coalesce(max(e.id), 0) - 100000 as id from {schema}.events e
    ), gone as (
        delete from {schema}.events e
        where e.id in (
            select o.id from {schema}.events o
            where o.happened_at < clock_timestamp() - interval '30 days' or (o.actor is null and o.id <= (select l.id from last l))
            order by o.id limit 1000)
        returning 1
    )
    select count(*) from gone
$$;

-- What a node says of itself when it joins, and how its death was established.
alter table {schema}.nodes
    add column info text,
    add column declared_by text,
    add column proof smallint;

-- Who paused a queue or a kind, when, why, and until when.
alter table {schema}.queues
    add column paused_at timestamptz,
    add column paused_until timestamptz,
    add column paused_by text,
    add column paused_reason text;
alter table {schema}.kinds
    add column paused boolean not null default false,
    add column paused_at timestamptz,
    add column paused_until timestamptz,
    add column paused_by text,
    add column paused_reason text;

-- A page of a job's tasks, newest first.
create index tasks_job_id_id_idx on {schema}.tasks (job_id, id);
