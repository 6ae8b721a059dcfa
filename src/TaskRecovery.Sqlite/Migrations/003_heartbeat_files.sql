-- oldest library: 0.1.0
-- A heartbeat raises a counter in the node's own file beside the database; beat counts those that were stored here. Set by another node that cannot
-- read that file: the node's heartbeats go into beat then.
alter table taskrecovery_nodes add column heartbeats_in_database integer not null default 0;
