-- oldest library: 0.1.0
-- The unfinished tasks of each job. They were found by an index whose condition contained the state, so the end of each run wrote an entry
-- into every other index of tasks too. Without it, the row changes in place if its page has room. Triggers maintain the table, so that
-- nodes of an older library do so too, and anybody else who writes to tasks.

-- First the strongest lock: a start reads tasks and writes to it later, so a weaker one that grows could deadlock with it.
lock table {schema}.tasks in access exclusive mode;

create table {schema}.unfinished_tasks (
    job_id uuid not null,
    task uuid not null,
    primary key (job_id, task)
) with (
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_threshold = 20000,
    vacuum_truncate = false
);

-- With the rights of the owner: a role that may write to tasks needs no right on this table for it.
create function {schema}.keep_unfinished_tasks() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'TRUNCATE' then
        delete from {schema}.unfinished_tasks;
        return null;
    end if;

    if not exists (select from changed) then
        return null;
    end if;

    if tg_op = 'INSERT' then
        insert into {schema}.unfinished_tasks (job_id, task) select c.job_id, c.id from changed c where c.state < 2;
        return null;
    end if;

    delete from {schema}.unfinished_tasks u
    where u.ctid = any (array(
        select f.place from changed c
        cross join lateral (
            select u.ctid as place from {schema}.unfinished_tasks u where u.job_id = c.job_id and u.task = c.id offset 0) f
        where (c.state >= 2) <> (tg_op = 'DELETE')));
    if tg_op = 'UPDATE' then
        insert into {schema}.unfinished_tasks (job_id, task) select c.job_id, c.id from changed c where c.state < 2
        on conflict do nothing;
    end if;

    return null;
end
$$;

create trigger unfinished_tasks_added after insert on {schema}.tasks
    referencing new table as changed for each statement execute function {schema}.keep_unfinished_tasks();
create trigger unfinished_tasks_changed after update on {schema}.tasks
    referencing new table as changed for each statement execute function {schema}.keep_unfinished_tasks();
create trigger unfinished_tasks_deleted after delete on {schema}.tasks
    referencing old table as changed for each statement execute function {schema}.keep_unfinished_tasks();
create trigger unfinished_tasks_truncated after truncate on {schema}.tasks
    for each statement execute function {schema}.keep_unfinished_tasks();

insert into {schema}.unfinished_tasks (job_id, task) select t.job_id, t.id from {schema}.tasks t where t.state < 2;
drop index if exists {schema}.tasks_unfinished_idx;

-- All tasks of a page may end in one transaction, so a page needs room for another version of each of them.
alter table {schema}.tasks set (fillfactor = 50);
