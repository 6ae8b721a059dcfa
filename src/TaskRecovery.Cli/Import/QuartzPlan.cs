using System.Text.Json;

namespace TaskRecovery.Cli.Import;

/// <summary>What a trigger of Quartz becomes: an entry if it runs once more, otherwise a job.</summary>
internal static class QuartzPlan
{
    private const int IgnoreMisfires = -1;

    /// <summary>Returns what a trigger becomes.</summary>
    public static ImportItem ItemOf(QuartzTrigger trigger, ImportMap map)
    {
        var item = new ImportItem(trigger.Key, $"trigger '{trigger.Key}' of job '{trigger.JobName}'") { MaxAttempts = trigger.Attempts };
        try
        {
            RequireSupported(trigger);
            var mapped = map.Find(trigger.JobType, method: null)
                ?? throw new ImportRefusedException($"'{trigger.JobType}' is not mapped: add --map '{trigger.JobType}=KIND'");
            if (mapped.Names is not null)
            {
                throw new ImportRefusedException(
                    $"the mapping of '{trigger.JobType}' names arguments, and the data of a job have names already: map it to a kind");
            }

            var args = Args(trigger);
            return trigger switch
            {
                { Type: "CRON", Cron: { } cron } => item with
                {
                    Job = new PlannedJob(mapped.Kind, args, PlannedSchedule.Checked(() => CronJob(trigger, cron))),
                },
                { Next: { } next } when trigger.RepeatCount >= 0 && trigger.RepeatCount <= trigger.TimesTriggered => item with
                {
                    Entry = new PlannedEntry(mapped.Kind, args, Queue: null, next),
                },
                { Next: { } next } => item with
                {
                    Job = new PlannedJob(mapped.Kind, args, PlannedSchedule.Checked(() => IntervalJob(trigger, next))),
                },
                _ => throw new ImportRefusedException("it has no next run"),
            };
        }
        catch (ImportRefusedException exception)
        {
            return item with { Refusal = exception.Message };
        }
    }

    private static void RequireSupported(QuartzTrigger trigger)
    {
        var reason = trigger switch
        {
            { State: "COMPLETE" or "DELETED" } => "it has ended",
            { State: "PAUSED" or "PAUSED_BLOCKED" } => "it is paused: resume it, or declare the job here",
            { State: "ERROR" } => "its state is ERROR: Quartz could not load its job",
            { Type: "CAL_INT" } => "calendar intervals have no equivalent: declare a cron job",
            { Type: "DAILY_I" } => "daily time intervals have no equivalent: declare a cron job",
            { Type: not ("CRON" or "SIMPLE") } => $"triggers of the type '{trigger.Type}' have no equivalent: declare a job",
            { IsContinuation: true } => "it continues another trigger, which has no equivalent here",
            { IsFromCompletion: true } => "its interval begins when a run ends, which has no equivalent: declare a job",
            { Calendar: { } calendar } => $"it has the calendar '{calendar}': declare the job here, with its exceptions in Except",
            { Next: null } => "it has no next run",
            _ => null,
        };
        if (reason is not null)
        {
            throw new ImportRefusedException(reason);
        }
    }

    private static JobDefinition CronJob(QuartzTrigger trigger, string cron)
        => new(trigger.TargetName, PlannedSchedule.Cron(cron, QuartzCron.Translate(cron), trigger.TimeZone))
        {
            // The first run is never earlier than that of the trigger, so that no run is repeated.
            StartAt = trigger.Next,
            EndAt = trigger.End,
            Overlap = OverlapOf(trigger),
            MissedRuns = trigger.Misfire switch
            {
                IgnoreMisfires => MissedRunPolicy.RunAll,
                2 => MissedRunPolicy.Skip,
                _ => MissedRunPolicy.RunOnce,
            },
        };

    private static JobDefinition IntervalJob(QuartzTrigger trigger, DateTimeOffset next)
    {
        var last = trigger.RepeatCount < 0 ? null : LastRun(trigger, next);
        return new JobDefinition(trigger.TargetName, Schedule.Every(trigger.RepeatInterval))
        {
            StartAt = next,
            EndAt = last < trigger.End || trigger.End is null ? last : trigger.End,
            Overlap = OverlapOf(trigger),
            MissedRuns = trigger.Misfire switch
            {
                IgnoreMisfires => MissedRunPolicy.RunAll,
                4 or 5 => MissedRunPolicy.Skip,
                _ => MissedRunPolicy.RunOnce,
            },
        };
    }

    private static DateTimeOffset? LastRun(QuartzTrigger trigger, DateTimeOffset next)
    {
        var left = trigger.RepeatCount - trigger.TimesTriggered;
        return left > (DateTimeOffset.MaxValue - next) / trigger.RepeatInterval ? null : next + (left * trigger.RepeatInterval);
    }

    private static OverlapPolicy OverlapOf(QuartzTrigger trigger) => trigger.Overlap switch
    {
        1 => OverlapPolicy.Skip,
        2 => OverlapPolicy.QueueOne,
        3 => OverlapPolicy.CancelPrevious,
        _ => trigger.IsNonConcurrent ? OverlapPolicy.Skip : OverlapPolicy.Allow,
    };

    // A value of the trigger replaces that of the job. ToObject runs the query, because a name with half a character throws when it is
    // read, and ToObject refuses that.
    private static JsonElement Args(QuartzTrigger trigger) => ArgsText.ToObject(
        Members(trigger.JobData).Concat(Members(trigger.TriggerData))
            .GroupBy(static member => member.Name, StringComparer.Ordinal)
            .Select(static named => (named.Key, named.Last().Value.GetRawText())));

    private static JsonElement.ObjectEnumerator Members(byte[]? data)
    {
        if (data is null or [])
        {
            return default;
        }

        try
        {
            if (JsonElement.Parse(data) is { ValueKind: JsonValueKind.Object } map)
            {
                return map.EnumerateObject();
            }
        }
        catch (JsonException)
        {
            // Reported below.
        }

        throw new ImportRefusedException("its data are not a JSON object: they may be those of the binary serializer of Quartz 3");
    }
}
