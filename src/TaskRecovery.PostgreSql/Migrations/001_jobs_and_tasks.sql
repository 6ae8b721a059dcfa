-- oldest library: 0.1.0
-- What the system before this library began with: jobs say what to run and when, tasks are their runs.
create table {schema}.jobs (
    id uuid primary key,
    name text not null,
    type text not null,
    args jsonb not null default '{}',
    interval_seconds integer,
    status text not null default 'active',
    next_run_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create table {schema}.tasks (
    id uuid primary key,
    job_id uuid not null references {schema}.jobs (id) on delete cascade,
    status text not null default 'created',
    result text,
    error text,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz
);

create index tasks_job_id_idx on {schema}.tasks (job_id);
