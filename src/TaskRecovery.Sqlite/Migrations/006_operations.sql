-- oldest library: 0.1.0
-- Bulk operations of operators. An operation goes down from up_to_id; entries below position are still to be done.
create table taskrecovery_operations (
    id integer primary key autoincrement,
    action integer not null,
    state integer not null default 0,
    query text,
    ids text,
    retry_from integer,
    retry_at integer,
    undoes integer,
    undone_by integer,
    actor text not null,
    reason text,
    tool text,
    created_at integer not null,
    started_at integer,
    ended_at integer,
    up_to_id integer not null,
    position integer not null,
    expected integer not null,
    expected_precision integer not null,
    done integer not null default 0,
    refused integer not null default 0
);

create index taskrecovery_operations_running_idx on taskrecovery_operations (id) where state = 1;

-- What an operation did to each entry, and what is needed to reverse it: the fence of the outcome that it stored or took back, and the
-- place at which a cancelled entry had waited.
create table taskrecovery_operation_entries (
    operation integer not null,
    entry integer not null,
    result integer not null,
    fence integer,
    run_at integer,
    level integer,
    attempt integer,
    crashes integer,
    primary key (operation, entry)
) without rowid;

create index taskrecovery_operation_entries_entry_idx on taskrecovery_operation_entries (entry);
