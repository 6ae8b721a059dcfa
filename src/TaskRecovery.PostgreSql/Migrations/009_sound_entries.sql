-- oldest library: 0.1.0
-- What this library never writes, and what kept its readers from their work: refused from now on. Rows that are there are looked at by the next migration.
alter table {schema}.entries add constraint entries_sound_check check (
    priority between 0 and 9 and max_attempts > 0
    and (timeout is null or (timeout > interval '0' and timeout <= interval '45 days' and extract(month from timeout) = 0))
) not valid;
alter table {schema}.waiting add constraint waiting_sound_check check (priority between -10 and 9 and attempt >= 0 and crashes >= 0) not valid;

-- Entries are made of jobs, many at once: none of them may fail that.
update {schema}.jobs set
    priority = least(greatest(priority, 0), 9),
    max_attempts = greatest(max_attempts, 1),
    timeout = case when timeout > interval '0' then least(extract(epoch from timeout), 3888000)::float8 * interval '1 second' end
where priority not between 0 and 9 or max_attempts < 1 or timeout <= interval '0' or timeout > interval '45 days' or extract(month from timeout) <> 0;
alter table {schema}.jobs add constraint jobs_sound_check check (
    priority between 0 and 9 and max_attempts > 0
    and (timeout is null or (timeout > interval '0' and timeout <= interval '45 days' and extract(month from timeout) = 0))
);
