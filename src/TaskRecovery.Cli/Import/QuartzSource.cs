using System.Runtime.CompilerServices;
using TaskRecovery.Cli.Errors;

namespace TaskRecovery.Cli.Import;

/// <summary>The tables of the AdoJobStore of Quartz 4.7.</summary>
internal sealed class QuartzSource(SourceDatabase database, QuartzTables tables, string? name, ImportMap map) : IImportSource
{
    private const string Whose = "Quartz 4.7";

    private string? _scheduler;

    public string Name => name ?? $"quartz:{database.Name}.{tables.Schema}.{tables.Prefix}{_scheduler}";

    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        string[] wanted =
        [
            $"{tables.Prefix}triggers sched_name trigger_group trigger_name job_group job_name trigger_state trigger_type next_fire_time "
                + "start_time end_time calendar_name misfire_instr job_data overlap_policy fixed_delay continues_trigger_name "
                + "retry_policy",
            $"{tables.Prefix}job_details sched_name job_group job_name job_class_name is_nonconcurrent job_data",
            $"{tables.Prefix}cron_triggers cron_expression time_zone_id",
            $"{tables.Prefix}simple_triggers repeat_count repeat_interval times_triggered",
            $"{tables.Prefix}scheduler_state sched_name instance_name last_checkin_time checkin_interval",
        ];
        await database.RequireTablesAsync(tables.Schema, wanted, Whose, cancellationToken).ConfigureAwait(false);
        var schedulers = await database.QueryAsync(
            $"select distinct sched_name from {tables.Name("triggers")} order by 1", static row => row.GetString(0), cancellationToken)
            .ConfigureAwait(false);
        _scheduler = tables.Scheduler switch
        {
            { } given when schedulers.Count == 0 || schedulers.Contains(given, StringComparer.Ordinal) => given,
            { } given => throw CommandException.Usage(
                $"--scheduler is '{given}', which has no triggers: use one of {string.Join(", ", schedulers)}."),
            null when schedulers.Count > 1 => throw CommandException.Usage(
                $"The tables have triggers of several schedulers: choose one with --scheduler: {string.Join(", ", schedulers)}."),
            null => schedulers is [var only] ? only : "",
        };
    }

    public async Task<string?> FindRunningAsync(CancellationToken cancellationToken)
    {
        // Times are ticks in UTC, intervals milliseconds. Only a clustered scheduler checks in.
        var instances = await database.QueryAsync(
            $"""
            select instance_name from {tables.Name("scheduler_state")}
            where sched_name = @p0 and (last_checkin_time - 621355968000000000) / 10000000.0 + 2 * checkin_interval / 1000.0 + 10
                > extract(epoch from now())
            order by 1 limit 1
            """,
            static row => row.GetString(0), cancellationToken, _scheduler!).ConfigureAwait(false);
        return instances is [var instance, ..] ? $"the scheduler '{instance}' of Quartz has checked in lately" : null;
    }

    public async IAsyncEnumerable<ImportItem> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var triggers = await database.QueryAsync(
            $"""
            select {QuartzTrigger.Columns}
            from {tables.Name("triggers")} t
            join {tables.Name("job_details")} j using (sched_name, job_group, job_name)
            left join {tables.Name("cron_triggers")} c using (sched_name, trigger_group, trigger_name)
            left join {tables.Name("simple_triggers")} s using (sched_name, trigger_group, trigger_name)
            where t.sched_name = @p0
            order by t.trigger_group, t.trigger_name
            """,
            QuartzTrigger.Read, cancellationToken, _scheduler!).ConfigureAwait(false);
        foreach (var trigger in triggers)
        {
            yield return QuartzPlan.ItemOf(trigger, map);
        }
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();
}
