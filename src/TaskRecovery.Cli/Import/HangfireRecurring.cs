namespace TaskRecovery.Cli.Import;

/// <summary>The recurring jobs of Hangfire.</summary>
internal static class HangfireRecurring
{
    /// <summary>Returns what a recurring job becomes.</summary>
    /// <param name="id">Its id, which becomes the name of the job.</param>
    /// <param name="map">The kinds.</param>
    /// <param name="fields">Its fields.</param>
    public static ImportItem ItemOf(string id, ImportMap map, IReadOnlyDictionary<string, string> fields)
    {
        var item = new ImportItem($"recurring-{id}", $"recurring job '{id}'");
        try
        {
            if (Field("Job") is not { } stored || Field("Cron") is not { } cron)
            {
                throw new ImportRefusedException("it has no method call or no cron expression");
            }

            var call = HangfireCall.Read(stored, arguments: null);
            var mapped = HangfireMap.Require(map, call);
            var definition = PlannedSchedule.Checked(
                () => new JobDefinition(id, PlannedSchedule.Cron(cron, cron, Field("TimeZoneId")))
                {
                    Queue = Field("Queue") is { } queue && queue != "default" ? queue : call.Queue,
                    MissedRuns = Field("Misfire") switch
                    {
                        "1" => MissedRunPolicy.RunAll,
                        "2" => MissedRunPolicy.Skip,
                        _ => MissedRunPolicy.RunOnce,
                    },
                });
            return item with { Job = new PlannedJob(mapped.Kind, call.ToArgs(mapped), definition) };
        }
        catch (ImportRefusedException exception)
        {
            return item with { Refusal = exception.Message };
        }

        string? Field(string field) => fields.GetValueOrDefault(field) is { Length: > 0 } value ? value : null;
    }
}
