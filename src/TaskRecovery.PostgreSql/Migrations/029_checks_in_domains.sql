-- oldest library: 0.1.0
alter table {schema}.waiting
    drop constraint waiting_sound_check, drop constraint waiting_names_check, drop constraint waiting_time_check,
    alter queue type {schema}.queue_number, alter kind type {schema}.kind_number, alter priority type {schema}.waiting_level,
    alter attempt type {schema}.run_count, alter crashes type {schema}.run_count, alter run_at type {schema}.due_time;

-- Sessions have planned the trigger of the roles (docs/deployment.md) with the types that the columns had. A changed function is planned again.
do $replan$
begin
    alter function {schema}.refuse_old_entry() cost 100;
exception when undefined_function or insufficient_privilege then
    null;
end
$replan$;

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
