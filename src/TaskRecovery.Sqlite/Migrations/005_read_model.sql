-- oldest library: 0.1.0
-- What nodes counted: one row for each minute, queue and kind in which something happened, and one for each hour.
create table taskrecovery_stats (
    hourly integer not null,
    began_at integer not null,
    queue integer not null,
    kind integer not null,
    enqueued integer not null default 0,
    completed integer not null default 0,
    failed integer not null default 0,
    cancelled integer not null default 0,
    retried integer not null default 0,
    snoozed integer not null default 0,
    released integer not null default 0,
    lost integer not null default 0,
    run_ms integer not null default 0,
    wait_ms integer not null default 0,
    primary key (hourly, began_at, queue, kind)
) without rowid;

-- What happened to nodes, in recovery, and by operators. A row is written in the transaction of what it reports, and never changed.
create table taskrecovery_events (
    id integer primary key autoincrement,
    happened_at integer not null,
    kind integer not null,
    node text,
    entry integer,
    subject text,
    operation integer,
    entries integer,
    detail text,
    actor text,
    reason text,
    tool text
);

create index taskrecovery_events_entry_idx on taskrecovery_events (entry, id) where entry is not null;

-- What a node says of itself when it joins, and how its death was established.
alter table taskrecovery_nodes add column info text;
alter table taskrecovery_nodes add column declared_by text;
alter table taskrecovery_nodes add column proof integer;

-- Who paused a queue or a kind, when, why, and until when.
alter table taskrecovery_queues add column paused_at integer;
alter table taskrecovery_queues add column paused_until_at integer;
alter table taskrecovery_queues add column paused_by text;
alter table taskrecovery_queues add column paused_reason text;
alter table taskrecovery_kinds add column paused integer not null default 0;
alter table taskrecovery_kinds add column paused_at integer;
alter table taskrecovery_kinds add column paused_until_at integer;
alter table taskrecovery_kinds add column paused_by text;
alter table taskrecovery_kinds add column paused_reason text;

-- A page of a job's tasks, newest first.
create index taskrecovery_tasks_job_id_id_idx on taskrecovery_tasks (job_id, id);
