-- oldest library: 0.1.0
-- The server parses the check constraints of a table once per statement, and those of a domain once per session. An enqueue of one entry is a
-- statement of its own, and the six checks were two thirds of the time in which the server added its two rows. The domains get their checks in 029,
-- when the columns of both tables have them: a domain with a check would let the server rewrite the table. Each migration changes one table, so that
-- it holds no lock while it waits for another, unless all of them are run as one script.
create domain {schema}.queue_number as integer;
create domain {schema}.kind_number as smallint;
create domain {schema}.entry_priority as smallint;
create domain {schema}.waiting_level as smallint;
create domain {schema}.attempt_limit as smallint;
create domain {schema}.run_count as smallint;
create domain {schema}.run_time_limit as interval;
create domain {schema}.due_time as timestamptz;
create domain {schema}.args_text as text;
create domain {schema}.metadata_text as text;
create domain {schema}.short_text as text;

alter table {schema}.entries
    drop constraint entries_sound_check, drop constraint entries_names_check, drop constraint entries_size_check,
    alter queue type {schema}.queue_number, alter kind type {schema}.kind_number, alter priority type {schema}.entry_priority,
    alter max_attempts type {schema}.attempt_limit, alter timeout type {schema}.run_time_limit, alter args type {schema}.args_text,
    alter metadata type {schema}.metadata_text, alter unique_key type {schema}.short_text, alter trace_parent type {schema}.short_text;
