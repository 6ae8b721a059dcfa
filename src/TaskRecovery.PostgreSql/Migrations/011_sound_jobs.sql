-- oldest library: 0.1.0
-- Which application declares a job in its code: it can say at its next start that it no longer does.
alter table {schema}.jobs add column declared_by text;

-- A job that was written by hand can't have values that its entries can't have, or names that no index can hold. Rows that are there already are not
-- checked (a month has no length that can be read): one that does not fit is never planned (JobSql.Sound), and must not stop an upgrade.
alter table {schema}.jobs add constraint jobs_sound check (
    octet_length(queue) between 1 and 100 and octet_length(entry_kind) between 1 and 2000 and priority between 0 and 9 and max_attempts between 1 and 1000
    and (timeout is null or timeout > interval '0' and timeout <= interval '1080 hours' and extract(month from timeout) = 0)
) not valid;

do $$
begin
    alter table {schema}.jobs validate constraint jobs_sound;
exception when check_violation then
    raise warning 'table jobs has rows that can not be planned: select id, name from jobs where not (see the constraint jobs_sound)';
end
$$;
