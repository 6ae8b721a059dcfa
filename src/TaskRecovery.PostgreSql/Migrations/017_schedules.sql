-- oldest library: 0.1.0
-- Cron schedules, ends, exceptions and start deadlines of jobs; why a job is paused and until when; what the code declared at last, so that
-- a change at run time survives a deployment.
alter table {schema}.jobs
    add column cron text,
    add column time_zone text,
    add column end_at timestamptz,
    add column exceptions text,
    add column catch_up_within interval,
    add column catch_up_limit integer not null default 100,
    add column expires_after interval,
    add column paused_at timestamptz,
    add column resume_at timestamptz,
    add column paused_by text,
    add column paused_reason text,
    add column declared_as text,
    add column orphaned_at timestamptz;

-- Whether the task made up for a missed run.
alter table {schema}.tasks add column catch_up boolean not null default false;

-- The time after which the entry does not start.
alter table {schema}.entries add column expires_at timestamptz;
