-- oldest library: 0.1.0
-- Events of what an application's own code does are kept by number too: code can cancel or trigger thousands a second.
create or replace function {schema}.remove_old_events() returns bigint language sql security definer set search_path = pg_catalog, pg_temp as $$
    with last as materialized (
        select coalesce(max(e.id), 0) - 100000 as id from {schema}.events e
    ), gone as (
        delete from {schema}.events e
        where e.id in (
            select o.id from {schema}.events o
            where o.happened_at < clock_timestamp() - interval '30 days'
                or ((o.actor is null or o.tool = 'application') and o.id <= (select l.id from last l))
            order by o.id limit 1000)
        returning 1
    )
    select count(*) from gone
$$;
