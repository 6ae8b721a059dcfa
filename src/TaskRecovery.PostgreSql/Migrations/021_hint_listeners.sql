-- oldest library: 0.1.0
-- What each node reports with its heartbeat, so that a few of them listen for hints: the queues it works, those from which it would claim
-- nothing now, how busy it is, and when it last stopped listening. A node of an older library reports nothing, and listens.
alter table {schema}.nodes
    add column queues text[],
    add column full_queues text[],
    add column load smallint not null default 0,
    add column turn_ended_at timestamptz;
