-- oldest library: 0.1.0
-- Jobs and tasks as the queue runs them. Rows of the old system stay; its unfinished tasks have no entry, and recovery gives
-- them one.
alter table {schema}.jobs rename column type to kind;
alter table {schema}.jobs alter column args drop default;
alter table {schema}.jobs alter column args type text using args::text;
alter table {schema}.jobs
    add column entry_kind text,
    add column state smallint not null default 0,
    add column every interval,
    add column once_at timestamptz,
    add column start_at timestamptz,
    add column overlap smallint not null default 0,
    add column missed_runs smallint not null default 0,
    add column queue text not null default 'default',
    add column priority smallint not null default 5,
    add column max_attempts smallint not null default 10,
    add column timeout interval,
    add column planned_entry bigint;

update {schema}.jobs set
    entry_kind = 'task:' || kind,
    every = make_interval(secs => interval_seconds),
    once_at = case when interval_seconds is null then coalesce(next_run_at, created_at) end,
    state = case
        when status in ('active', 'enabled', 'running', 'created') then 0
        when status in ('completed', 'ended', 'finished', 'deleted', 'cancelled', 'failed') then 2
        else 1 end;

-- A job without an interval that has no next run had its run already.
update {schema}.jobs set state = 2 where state = 0 and interval_seconds is null and next_run_at is null;

update {schema}.jobs j set name = j.name || ' (' || j.id || ')'
where exists (select from {schema}.jobs o where o.name = j.name and (o.created_at, o.id) < (j.created_at, j.id));

alter table {schema}.jobs
    alter column entry_kind set not null,
    drop column interval_seconds,
    drop column status,
    alter column created_at set default clock_timestamp(),
    alter column updated_at set default clock_timestamp();
alter table {schema}.jobs add constraint jobs_name_key unique (name);

create index jobs_unplanned_idx on {schema}.jobs (id) where state = 0 and planned_entry is null;
create index jobs_planned_entry_idx on {schema}.jobs (planned_entry) where planned_entry is not null;

-- Task records outlive their job.
alter table {schema}.tasks drop constraint if exists tasks_job_id_fkey;
alter table {schema}.tasks rename column finished_at to ended_at;
alter table {schema}.tasks
    add column state smallint not null default 0,
    add column entry_id bigint,
    add column due_at timestamptz,
    add column attempt smallint not null default 0,
    add column crashes smallint not null default 0,
    add column reason text,
    add column node text,
    alter column created_at set default clock_timestamp();

update {schema}.tasks set state = case status
    when 'created' then 0 when 'running' then 1 when 'completed' then 2 when 'failed' then 3 when 'cancelled' then 4 else 3 end;

update {schema}.tasks set ended_at = coalesce(started_at, created_at) where state > 1 and ended_at is null;

alter table {schema}.tasks drop column status;

create unique index tasks_entry_id_key on {schema}.tasks (entry_id);
create unique index tasks_job_id_due_at_key on {schema}.tasks (job_id, due_at);
create index tasks_unfinished_idx on {schema}.tasks (job_id, created_at) where state < 2;
