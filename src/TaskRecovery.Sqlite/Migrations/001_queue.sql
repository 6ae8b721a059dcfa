-- oldest library: 0.1.0
-- The queue. An entry is waiting (a row in waiting), running (in a claim, without an outcome under it) or ended
-- (a final outcome): exactly one of them. Times are microseconds since 1970 in UTC: datetime(run_at / 1e6, 'unixepoch').
create table taskrecovery_kinds (
    id integer primary key,
    name text not null unique
);

create table taskrecovery_queues (
    id integer primary key,
    name text not null unique,
    paused integer not null default 0
);

-- One row per life of a process. The number is what claims and outcomes carry instead of the id's 16 bytes.
create table taskrecovery_nodes (
    number integer primary key autoincrement,
    id blob not null unique,
    name text not null,
    named integer not null,
    name_is_explicit integer not null,
    machine text not null,
    process_id integer not null,
    process_started integer not null,
    beat integer not null default 0,
    holds_lock integer not null default 0,
    started_at integer not null,
    beat_at integer not null,
    dead_at integer,
    stopped integer not null default 0
);

create index taskrecovery_nodes_alive_idx on taskrecovery_nodes (name) where dead_at is null;

-- What was asked for: written once, never changed; also the history. An id is never given twice (autoincrement).
create table taskrecovery_entries (
    id integer primary key autoincrement,
    created_at integer not null,
    queue integer not null references taskrecovery_queues (id),
    kind integer not null references taskrecovery_kinds (id),
    priority integer not null,
    max_attempts integer not null,
    args text not null,
    unique_key text,
    timeout integer,
    metadata text,
    trace_parent text
);

-- What may run, now or later. priority is the level: 0 to 9 as asked for, below 0 for what has come back from a crash.
create table taskrecovery_waiting (
    id integer primary key references taskrecovery_entries (id),
    queue integer not null,
    kind integer not null,
    priority integer not null,
    run_at integer not null,
    attempt integer not null default 0,
    crashes integer not null default 0
);

-- A claim goes through the few kinds and levels that are there and takes the due ones from the front of each.
create index taskrecovery_waiting_order_idx on taskrecovery_waiting (queue, kind, priority, run_at);

-- One row for each batch that a node took. Its id is the fence of every entry in it, and never given twice (autoincrement).
-- entries, attempts and crashes are JSON arrays of the same length.
create table taskrecovery_claims (
    id integer primary key autoincrement,
    claimed_at integer not null,
    node integer not null references taskrecovery_nodes (number),
    entries text not null,
    attempts text not null,
    crashes text not null
);

create index taskrecovery_claims_node_idx on taskrecovery_claims (node);

-- How runs ended. (entry, fence) decides between a finish and a sweep, and makes every flush safe to repeat.
-- attempt and crashes are the entry's after this run: attempts spent, crashes counted. duration is in microseconds.
create table taskrecovery_outcomes (
    entry integer not null references taskrecovery_entries (id),
    fence integer not null,
    ended_at integer not null,
    duration integer not null,
    node integer,
    kind integer not null,
    attempt integer not null,
    crashes integer not null,
    final integer not null,
    result text,
    error text,
    reason text,
    primary key (entry, fence)
) without rowid;

-- Those that an operator looks for: few among many.
create index taskrecovery_outcomes_bad_idx on taskrecovery_outcomes (kind, entry) where final = 1 and kind > 0;

-- Held until the entry ends.
create table taskrecovery_unique_keys (
    kind integer not null,
    key text not null,
    entry integer not null unique references taskrecovery_entries (id),
    primary key (kind, key)
) without rowid;

-- A finished step. entry and fence say who stored it; task is set where the entry runs one, and the step is the task's then.
create table taskrecovery_steps (
    entry integer not null,
    task blob,
    fence integer not null,
    stored_at integer not null,
    name text not null,
    result text not null,
    primary key (entry, name)
) without rowid;

create unique index taskrecovery_steps_task_key on taskrecovery_steps (task, name) where task is not null;

create table taskrecovery_checkpoints (
    entry integer primary key,
    task blob,
    fence integer not null,
    stored_at integer not null,
    data text not null
);

create unique index taskrecovery_checkpoints_task_key on taskrecovery_checkpoints (task) where task is not null;

create table taskrecovery_cancellations (
    entry integer primary key references taskrecovery_entries (id),
    requested_at integer not null
);
