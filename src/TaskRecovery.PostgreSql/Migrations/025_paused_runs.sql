-- oldest library: 0.1.0
-- Requested runs that wait for the end of their job's pause, and the time for which they were put back: a resume makes them due at once.
create table {schema}.paused_runs (
    job_id uuid not null,
    entry bigint not null,
    run_at timestamptz not null,
    primary key (job_id, entry)
);
