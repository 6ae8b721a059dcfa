-- oldest library: 0.1.0
-- The triggers accept a row that is there already, as in a restore of the data alone, and remove the row of each deleted task. A function
-- adds and removes what they have missed while they were disabled or did not fire: in a restore, in a replica.
create or replace function {schema}.keep_unfinished_tasks() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'TRUNCATE' then
        delete from {schema}.unfinished_tasks;
        return null;
    end if;

    -- Only a restore finds a row. To insert with a conflict in mind writes more to the log for each row that is added; a look-up writes
    -- nothing.
    if tg_op = 'INSERT' then
        insert into {schema}.unfinished_tasks (job_id, task)
        select c.job_id, c.id from changed c
        where c.state < 2
            and (select u.task from {schema}.unfinished_tasks u where u.job_id = c.job_id and u.task = c.id) is null;
        return null;
    end if;

    if not exists (select from changed) then
        return null;
    end if;

    delete from {schema}.unfinished_tasks u
    where u.ctid = any (array(
        select f.place from changed c
        cross join lateral (
            select u.ctid as place from {schema}.unfinished_tasks u where u.job_id = c.job_id and u.task = c.id offset 0) f
        where c.state >= 2 or tg_op = 'DELETE'));
    if tg_op = 'UPDATE' then
        insert into {schema}.unfinished_tasks (job_id, task) select c.job_id, c.id from changed c where c.state < 2
        on conflict do nothing;
    end if;

    return null;
end
$$;

-- Adds the missing rows and removes those too many; returns how many. It reads all tasks. A task may not change until the commit once it
-- was judged, and one that another transaction has locked is skipped: its change fires the triggers.
create function {schema}.repair_unfinished_tasks() returns bigint
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    added bigint;
    removed bigint;
begin
    with missing as materialized (
        select t.job_id, t.id from {schema}.tasks t
        where t.state < 2
            and (select u.task from {schema}.unfinished_tasks u where u.job_id = t.job_id and u.task = t.id) is null
        for share of t skip locked
    )
    insert into {schema}.unfinished_tasks (job_id, task) select m.job_id, m.id from missing m
    on conflict do nothing;
    get diagnostics added = row_count;

    with stray as materialized (
        select u.ctid as place from {schema}.unfinished_tasks u join {schema}.tasks t on t.id = u.task
        where t.state >= 2 or t.job_id <> u.job_id
        for share of t skip locked
    )
    delete from {schema}.unfinished_tasks u
    where u.ctid = any (array(select s.place from stray s))
        or (select t.id from {schema}.tasks t where t.id = u.task) is null;
    get diagnostics removed = row_count;
    return added + removed;
end
$$;

do $$
begin
    perform {schema}.repair_unfinished_tasks();
end
$$;
