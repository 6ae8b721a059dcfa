-- oldest library: 0.1.0
-- The queue. An entry is waiting (a row in waiting), running (in a claim, without an outcome under it) or ended
-- (a final outcome): exactly one of them.
create table {schema}.kinds (
    id smallint generated always as identity primary key,
    name text not null unique
);

create table {schema}.queues (
    id integer generated always as identity primary key,
    name text not null unique,
    paused boolean not null default false
);

-- One row per life of a process. The number is what claims and outcomes carry: 4 bytes instead of 16.
create table {schema}.nodes (
    number integer generated always as identity primary key,
    id uuid not null unique,
    name text not null,
    named boolean not null,
    name_is_explicit boolean not null,
    machine text not null,
    process_id integer not null,
    process_started bigint not null,
    lock_key bigint not null,
    backend integer,
    application text,
    beat bigint not null default 0,
    holds_lock boolean not null default false,
    started_at timestamptz not null default clock_timestamp(),
    beat_at timestamptz not null default clock_timestamp(),
    dead_at timestamptz,
    stopped boolean not null default false
) with (fillfactor = 50, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0);

-- What was asked for: written once, never changed; also the history.
create table {schema}.entries (
    id bigint generated always as identity primary key,
    created_at timestamptz not null default clock_timestamp(),
    queue integer not null,
    kind smallint not null,
    priority smallint not null,
    max_attempts smallint not null,
    args text not null,
    unique_key text,
    timeout interval,
    metadata text,
    trace_parent text
) with (
    autovacuum_vacuum_insert_scale_factor = 0.2,
    autovacuum_analyze_scale_factor = 0.1
);

-- What may run, now or later. Rows come and go and are never updated. priority is the level: 0 to 9 as asked for, below 0 for
-- what has come back from a crash. Vacuum has to keep up, and must not stop everybody to cut the file's end off.
create table {schema}.waiting (
    run_at timestamptz not null,
    id bigint not null,
    queue integer not null,
    kind smallint not null,
    priority smallint not null,
    attempt smallint not null default 0,
    crashes smallint not null default 0
) with (
    autovacuum_vacuum_threshold = 20000,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 0,
    autovacuum_vacuum_insert_threshold = 100000,
    autovacuum_analyze_threshold = 20000,
    autovacuum_analyze_scale_factor = 0.1,
    vacuum_truncate = false
);

create unique index waiting_id_key on {schema}.waiting (id);
create index waiting_order_idx on {schema}.waiting (queue, priority, run_at, id);

-- One row for each batch that a node took. Its id is the fence of every entry in it. The arrays beside entries list only those
-- that ran before: most claims have none.
create table {schema}.claims (
    id bigint primary key,
    claimed_at timestamptz not null default clock_timestamp(),
    node integer not null references {schema}.nodes (number),
    entries bigint[] not null,
    again bigint[],
    again_attempts smallint[],
    again_crashes smallint[]
) with (
    autovacuum_vacuum_threshold = 500,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_threshold = 500,
    toast.autovacuum_vacuum_threshold = 2000,
    toast.autovacuum_vacuum_scale_factor = 0.05,
    toast.autovacuum_vacuum_cost_delay = 0,
    vacuum_truncate = false,
    toast.vacuum_truncate = false
);

-- Compressing a list of a thousand ids costs as much as inserting a hundred rows, and saves four bytes an entry.
alter table {schema}.claims alter column entries set storage external;

create sequence {schema}.fences as bigint;
create index claims_node_idx on {schema}.claims (node);

-- How runs ended. (entry, fence) decides between a finish and a sweep, and makes every flush safe to repeat.
-- attempt and crashes are the entry's after this run: attempts spent, crashes counted.
create table {schema}.outcomes (
    entry bigint not null,
    fence bigint not null,
    ended_at timestamptz not null default clock_timestamp(),
    duration_ms integer not null,
    node integer,
    kind smallint not null,
    attempt smallint not null,
    crashes smallint not null,
    final boolean not null,
    result text,
    error text,
    reason text,
    primary key (entry, fence)
) with (
    autovacuum_vacuum_insert_scale_factor = 0.2,
    autovacuum_analyze_scale_factor = 0.1
);

-- Few end otherwise than well: lists and retention find them without walking over all that did.
create index outcomes_unwell_idx on {schema}.outcomes (entry) where final and kind <> 0;

-- Held until the entry ends.
create table {schema}.unique_keys (
    kind smallint not null,
    key text not null,
    entry bigint not null unique,
    primary key (kind, key)
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

-- A finished step. entry and fence say who stored it; task is set where the entry runs one, and the step is the task's then.
create table {schema}.steps (
    entry bigint not null,
    task uuid,
    fence bigint not null,
    stored_at timestamptz not null default clock_timestamp(),
    name text not null,
    result text not null,
    primary key (entry, name)
);

create unique index steps_task_key on {schema}.steps (task, name) where task is not null;

create table {schema}.checkpoints (
    entry bigint primary key,
    task uuid,
    fence bigint not null,
    stored_at timestamptz not null default clock_timestamp(),
    data text not null
) with (fillfactor = 70);

create unique index checkpoints_task_key on {schema}.checkpoints (task) where task is not null;

create table {schema}.cancellations (
    entry bigint primary key,
    requested_at timestamptz not null default clock_timestamp()
);

-- Called where the caller's own transaction has to fail because a claim is lost: nothing of it may be committed then.
create function {schema}.fail_lost_claim(entry bigint, fence bigint) returns void language plpgsql as $$
begin
    raise exception 'entry % is no longer held under claim %', entry, fence using errcode = 'TR001';
end
$$;
