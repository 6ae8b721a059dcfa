-- oldest library: 0.1.0
-- Jobs say what to run and when; tasks are their runs, and outlive their job. every and timeout are in microseconds.
create table taskrecovery_jobs (
    id blob primary key,
    name text not null unique,
    kind text not null,
    entry_kind text not null,
    args text not null,
    state integer not null default 0,
    every integer,
    once_at integer,
    start_at integer,
    overlap integer not null default 0,
    missed_runs integer not null default 0,
    queue text not null,
    priority integer not null,
    max_attempts integer not null,
    timeout integer,
    next_run_at integer,
    planned_entry integer,
    created_at integer not null,
    updated_at integer not null
) without rowid;

create index taskrecovery_jobs_planned_entry_idx on taskrecovery_jobs (planned_entry) where planned_entry is not null;

create table taskrecovery_tasks (
    id blob primary key,
    job_id blob not null,
    entry_id integer unique,
    state integer not null default 0,
    due_at integer,
    attempt integer not null default 0,
    crashes integer not null default 0,
    result text,
    error text,
    reason text,
    node text,
    created_at integer not null,
    started_at integer,
    ended_at integer,
    unique (job_id, due_at)
);

create index taskrecovery_tasks_unfinished_idx on taskrecovery_tasks (job_id, created_at) where state < 2;
create index taskrecovery_tasks_ended_idx on taskrecovery_tasks (ended_at) where state > 1;
