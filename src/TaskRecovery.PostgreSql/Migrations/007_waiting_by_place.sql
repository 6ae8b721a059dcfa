-- oldest library: 0.1.0
-- Most entries wait from the moment they are stored, at their own priority: their row stands at a place that the entry's own queue,
-- priority and time tell. Only the others need an index by id: a twelfth less to write for each entry.
alter table {schema}.waiting add column found_by_id boolean not null default true;

drop index {schema}.waiting_id_key;
create unique index waiting_id_key on {schema}.waiting (id) where found_by_id;
