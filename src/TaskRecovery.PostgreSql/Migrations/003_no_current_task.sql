-- oldest library: 0.1.0
-- The second cure needs no column: an unfinished task gets an entry of its own in the queue.
drop index if exists {schema}.jobs_current_task_id_idx;

alter table {schema}.jobs drop column if exists current_task_id;
