-- oldest library: 0.1.0
-- The last heartbeat of each living node. It was in nodes, which every claim, outcome and step reads. While an old snapshot is held, no
-- version of a row can be removed, so each of them read one version more for every second. A heartbeat changes the key of its row here, so
-- that the index returns the newest version first. What changes only when a node is born or dies stays in nodes.
-- A heartbeat of a library before this migration fails, because its columns are gone: the node loses its lease, cancels its handlers and
-- claims nothing more. No such library was released.
lock table {schema}.nodes in access exclusive mode;

create table {schema}.heartbeats (
    node integer not null,
    beat bigint not null,
    beat_at timestamptz not null default clock_timestamp(),
    holds_lock boolean not null default false,
    backend integer,
    vitals text,
    queues text[],
    full_queues text[],
    load smallint not null default 0,
    turn_ended_at timestamptz,
    primary key (node, beat)
) with (
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_threshold = 20000,
    toast.autovacuum_vacuum_threshold = 1000,
    toast.autovacuum_vacuum_scale_factor = 0,
    toast.autovacuum_vacuum_cost_delay = 0,
    vacuum_truncate = false,
    toast.vacuum_truncate = false
);

insert into {schema}.heartbeats (node, beat, beat_at, holds_lock, backend, vitals, queues, full_queues, load, turn_ended_at)
select n.number, n.beat, n.beat_at, n.holds_lock, n.backend, n.vitals, n.queues, n.full_queues, n.load, n.turn_ended_at
from {schema}.nodes n where n.dead_at is null;

-- beat_at, holds_lock, backend and vitals stay. They are those of the last heartbeat, stored when the node dies or leaves.
alter table {schema}.nodes
    drop column beat,
    drop column queues,
    drop column full_queues,
    drop column load,
    drop column turn_ended_at;
