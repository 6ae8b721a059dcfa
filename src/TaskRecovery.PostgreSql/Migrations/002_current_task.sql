-- oldest library: 0.1.0
-- The old system's first cure: a job remembers its task, so that a start can set it back.
alter table {schema}.jobs add column current_task_id uuid;

create index jobs_current_task_id_idx on {schema}.jobs (current_task_id);
