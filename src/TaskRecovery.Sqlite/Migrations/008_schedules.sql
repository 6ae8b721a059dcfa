-- oldest library: 0.1.0
-- Cron schedules, ends, exceptions and start deadlines of jobs; why a job is paused and until when; what the code declared at last, so that
-- a change at run time survives a deployment. catch_up_within and expires_after are in microseconds.
alter table taskrecovery_jobs add column cron text;
alter table taskrecovery_jobs add column time_zone text;
alter table taskrecovery_jobs add column end_at integer;
alter table taskrecovery_jobs add column exceptions text;
alter table taskrecovery_jobs add column catch_up_within integer;
alter table taskrecovery_jobs add column catch_up_limit integer not null default 100;
alter table taskrecovery_jobs add column expires_after integer;
alter table taskrecovery_jobs add column paused_at integer;
alter table taskrecovery_jobs add column resume_at integer;
alter table taskrecovery_jobs add column paused_by text;
alter table taskrecovery_jobs add column paused_reason text;
alter table taskrecovery_jobs add column declared_as text;
alter table taskrecovery_jobs add column orphaned_at integer;

-- Whether the task made up for a missed run.
alter table taskrecovery_tasks add column catch_up integer not null default 0;

-- The time after which the entry does not start.
alter table taskrecovery_entries add column expires_at integer;
