-- oldest library: 0.1.0
-- Counts that no sum can hold, and times that never pass.
delete from {schema}.stats s
where not isfinite(s.began_at)
    or least(s.enqueued, s.completed, s.failed, s.cancelled, s.retried, s.snoozed, s.released, s.lost, s.run_ms, s.wait_ms) < 0
    or greatest(s.enqueued, s.completed, s.failed, s.cancelled, s.retried, s.snoozed, s.released, s.lost) > 999999999999
    or greatest(s.run_ms, s.wait_ms) > 99999999999999;
alter table {schema}.stats add constraint stats_sound_check check (
    isfinite(began_at)
    and least(enqueued, completed, failed, cancelled, retried, snoozed, released, lost, run_ms, wait_ms) >= 0
    and greatest(enqueued, completed, failed, cancelled, retried, snoozed, released, lost) <= 999999999999
    and greatest(run_ms, wait_ms) <= 99999999999999
);

-- Last, because it locks out everybody until the commit.
-- A role that may only add entries could write texts that use up the memory of each process that claims or shows them. Not checked for rows
-- that are there: that would read the whole history under a lock that stops everybody, and a claim copes with such rows.
alter table {schema}.entries add constraint entries_size_check check (
    octet_length(args) <= 67108864 and octet_length(metadata) <= 16384 and octet_length(unique_key) <= 4096 and octet_length(trace_parent) <= 4096
) not valid;
