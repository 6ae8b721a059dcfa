using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Statements on <c>stats</c>.</summary>
internal static class StatisticsSql
{
    // Read once. Compared with a clock that is read for each row, an index does not find where the rows begin or end.
    private const string Now = "(select clock_timestamp())";

    private const string Counts = "enqueued, completed, failed, cancelled, retried, snoozed, released, lost, run_ms, wait_ms";

    // A row that something else wrote must not make a sum too large for a number or a time span.
    private static readonly string Sums = string.Join(
        ", ", Counts.Split(", ").Select(static count => $"least(greatest(sum(s.{count}), 0), {StatisticsLimits.Sum})::bigint"));

    private static readonly string Given = string.Join(
        ", ", Counts.Split(", ").Select(static count => $"least(greatest(g.{count}, 0), {StatisticsLimits.Of(count)})"));

    private static readonly string Added = string.Join(
        ", ", Counts.Split(", ").Select(
            static count => $"{count} = least(least(s.{count}, {StatisticsLimits.Of(count)}) + excluded.{count}, "
                + $"{StatisticsLimits.Of(count)})"));

    /// <summary>Adds counts to the current minute and hour. $1 queues, $2 kinds, then the counts as arrays of the same length. Rows are
    /// written in the order of their key, so that two nodes that add at the same moment cannot deadlock.</summary>
    internal static readonly string Add = $$"""
        with clock as materialized (
            select clock_timestamp() as now
        ), given as materialized (
            select q.id as queue, k.id as kind, g.* from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
                g (queue_name, kind_name, {{Counts}})
            join {schema}.queues q on q.name = g.queue_name join {schema}.kinds k on k.name = g.kind_name
        )
        insert into {schema}.stats as s (hourly, began_at, queue, kind, {{Counts}})
        select h.hourly, date_trunc(h.unit, c.now, 'UTC'), g.queue, g.kind, {{Given}}
        from given g cross join clock c cross join (values (false, 'minute'), (true, 'hour')) h (hourly, unit)
        order by 1, 2, 3, 4
        on conflict (hourly, began_at, queue, kind) do update set {{Added}}
        """;

    /// <summary>The sums of the last hour (by minutes) and the last day (by hours).</summary>
    internal static readonly string Recent = $$"""
        select false, {{Sums}} from {schema}.stats s
        where not s.hourly and s.began_at > {{Now}} - interval '1 hour' and s.began_at <= {{Now}}
        union all
        select true, {{Sums}} from {schema}.stats s
        where s.hourly and s.began_at > {{Now}} - interval '24 hours' and s.began_at <= {{Now}}
        """;

    /// <summary>Counts by minute or hour. $1 whether by hour, $2 from, $3 to, $4 queue, or null, $5 kind, or null, $6 what to separate: 0
    /// nothing, 1 queues, 2 kinds.</summary>
    internal static readonly string Read = $$"""
        select s.began_at, q.name, k.name, {{Sums}}
        from {schema}.stats s
        left join {schema}.queues q on q.id = s.queue and $6::integer = {{Codes.ThroughputQueue}}
        left join {schema}.kinds k on k.id = s.kind and $6::integer = {{Codes.ThroughputKind}}
        where s.hourly = $1::boolean and s.began_at >= $2::timestamptz and s.began_at < $3::timestamptz
            and ($4::text is null or s.queue = (select q.id from {schema}.queues q where q.name = $4))
            and ($5::text is null or s.kind = (select k.id from {schema}.kinds k where k.name = $5))
        group by 1, 2, 3 order by 2, 3, 1
        """;

    /// <summary>Removes a bounded number of rows: minutes after a day, hours after 90 days, and those of a time to come, which something
    /// else wrote. Returns how many.</summary>
    internal const string Remove = $$"""
        with old as materialized (
            (select s.hourly, s.began_at, s.queue, s.kind from {schema}.stats s
                where not s.hourly and s.began_at < {{Now}} - interval '25 hours'
                order by s.began_at limit 5000)
            union all
            (select s.hourly, s.began_at, s.queue, s.kind from {schema}.stats s
                where s.hourly and s.began_at < {{Now}} - interval '90 days'
                order by s.began_at limit 5000)
            union all
            (select s.hourly, s.began_at, s.queue, s.kind from {schema}.stats s
                where not s.hourly and s.began_at > {{Now}} + interval '1 day'
                order by s.began_at limit 5000)
            union all
            (select s.hourly, s.began_at, s.queue, s.kind from {schema}.stats s
                where s.hourly and s.began_at > {{Now}} + interval '1 day'
                order by s.began_at limit 5000)
        ), gone as (
            delete from {schema}.stats s using old o
            where (s.hourly, s.began_at, s.queue, s.kind) = (o.hourly, o.began_at, o.queue, o.kind)
            returning 1
        )
        select count(*) from gone
        """;
}
