-- oldest library: 0.1.0
-- The server parses the check constraints of a table once per statement, and those of a domain once per session. An enqueue of one entry is a
-- statement of its own, and the six checks were two thirds of the time in which the server added its two rows. The types of the columns change before
-- the domains get their constraints, because otherwise the server would rewrite both tables.
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
alter table {schema}.waiting
    drop constraint waiting_sound_check, drop constraint waiting_names_check, drop constraint waiting_time_check,
    alter queue type {schema}.queue_number, alter kind type {schema}.kind_number, alter priority type {schema}.waiting_level,
    alter attempt type {schema}.run_count, alter crashes type {schema}.run_count, alter run_at type {schema}.due_time;

-- Not checked for rows that are there: that would read the whole history under a lock that stops everybody, and a claim copes with such rows.
alter domain {schema}.queue_number add constraint queue_number_check check (value > 0) not valid;
alter domain {schema}.kind_number add constraint kind_number_check check (value <> 0) not valid;
alter domain {schema}.entry_priority add constraint entry_priority_check check (value between 0 and 9) not valid;
alter domain {schema}.waiting_level add constraint waiting_level_check check (value between -10 and 9) not valid;
alter domain {schema}.attempt_limit add constraint attempt_limit_check check (value > 0) not valid;
alter domain {schema}.run_count add constraint run_count_check check (value >= 0) not valid;
alter domain {schema}.run_time_limit add constraint run_time_limit_check
    check (value > interval '0' and value <= interval '45 days' and extract(month from value) = 0) not valid;
alter domain {schema}.due_time add constraint due_time_check check (isfinite(value)) not valid;
alter domain {schema}.args_text add constraint args_text_check check (octet_length(value) <= 67108864) not valid;
alter domain {schema}.metadata_text add constraint metadata_text_check check (octet_length(value) <= 16384) not valid;
alter domain {schema}.short_text add constraint short_text_check check (octet_length(value) <= 4096) not valid;
