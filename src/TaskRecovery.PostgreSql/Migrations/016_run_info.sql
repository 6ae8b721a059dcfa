-- oldest library: 0.1.0
-- What was known of a node when it died with a run: written by the sweep.
alter table {schema}.outcomes add column black_box text;

-- The state of a node's process at its last heartbeat.
alter table {schema}.nodes add column vitals text;

-- The progress that the handler of an entry reported last.
create table {schema}.reports (
    entry bigint primary key,
    fence bigint not null,
    reported_at timestamptz not null default clock_timestamp(),
    done bigint not null,
    total bigint,
    message text
) with (fillfactor = 50, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);

-- Log lines of runs, in parts as they were stored.
create table {schema}.run_logs (
    entry bigint not null,
    fence bigint not null,
    part integer not null,
    lines text not null,
    primary key (entry, fence, part)
);
