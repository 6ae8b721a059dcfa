-- oldest library: 0.1.0
-- What was known of a node when it died with a run: written by the sweep.
alter table taskrecovery_outcomes add column black_box text;

-- The state of a node's process at its last heartbeat; stored when the node is declared dead.
alter table taskrecovery_nodes add column vitals text;

-- The progress that the handler of an entry reported last.
create table taskrecovery_reports (
    entry integer primary key,
    fence integer not null,
    reported_at integer not null,
    done integer not null,
    total integer,
    message text
);

-- Log lines of runs, in parts as they were stored.
create table taskrecovery_run_logs (
    entry integer not null,
    fence integer not null,
    part integer not null,
    lines text not null,
    primary key (entry, fence, part)
) without rowid;
