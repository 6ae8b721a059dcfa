-- oldest library: 0.1.0
-- Two other indexes of tasks begin with the job, and each run wrote this one twice: when its task was created and when it ended.
drop index if exists {schema}.tasks_job_id_idx;

-- All jobs of a page may run at the same moment, so a page needs room for another version of each of them to change in place.
alter table {schema}.jobs set (fillfactor = 45);
