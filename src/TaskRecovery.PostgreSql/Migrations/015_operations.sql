-- oldest library: 0.1.0
-- Bulk operations of operators. An operation goes down from up_to_id; entries below position are still to be done.
create table {schema}.operations (
    id bigint generated always as identity primary key,
    action smallint not null,
    state smallint not null default 0,
    query text,
    ids bigint[],
    retry_from smallint,
    retry_at timestamptz,
    undoes bigint,
    undone_by bigint,
    actor text not null,
    reason text,
    tool text,
    session_user_name text not null default session_user,
    created_at timestamptz not null default clock_timestamp(),
    started_at timestamptz,
    ended_at timestamptz,
    up_to_id bigint not null,
    position bigint not null,
    expected bigint not null,
    expected_precision smallint not null,
    done bigint not null default 0,
    refused bigint not null default 0
);

create index operations_running_idx on {schema}.operations (id) where state = 1;

-- What an operation did to each entry, and what is needed to reverse it: the fence of the outcome that it stored or took back, and the
-- place at which a cancelled entry had waited.
create table {schema}.operation_entries (
    operation bigint not null,
    entry bigint not null,
    result smallint not null,
    fence bigint,
    run_at timestamptz,
    level smallint,
    attempt smallint,
    crashes smallint,
    primary key (operation, entry)
);

create index operation_entries_entry_idx on {schema}.operation_entries (entry);
