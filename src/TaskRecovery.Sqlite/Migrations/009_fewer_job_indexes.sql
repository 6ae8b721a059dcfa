-- oldest library: 0.1.0
-- No statement looks for a job by its planned entry, and each run changed this index twice.
drop index if exists taskrecovery_jobs_planned_entry_idx;
