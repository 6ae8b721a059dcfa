using TaskRecovery.Cli.Errors;

namespace TaskRecovery.Cli.Import;

/// <summary>Makes schedules, and refuses what the library refuses.</summary>
internal static class PlannedSchedule
{
    /// <summary>Reads a cron expression.</summary>
    /// <param name="stored">The expression of the other system.</param>
    /// <param name="expression">The expression in the syntax of this library.</param>
    /// <param name="timeZone">The id of the time zone; <see langword="null"/> for UTC.</param>
    /// <exception cref="ImportRefusedException">It can't be expressed here, or the time zone is not known.</exception>
    public static Schedule Cron(string stored, string expression, string? timeZone)
    {
        try
        {
            return Schedule.Cron(expression, IanaId(timeZone));
        }
        catch (Exception exception) when (exception is ArgumentException or TimeZoneNotFoundException)
        {
            throw new ImportRefusedException(
                stored == expression
                    ? Failure.TextOf(exception)
                    : $"'{stored}' would be '{expression}' here. {Failure.TextOf(exception)}");
        }
    }

    /// <summary>Makes a definition.</summary>
    /// <exception cref="ImportRefusedException">The library refuses it.</exception>
    public static JobDefinition Checked(Func<JobDefinition> create)
    {
        try
        {
            var definition = create();
            definition.GetRunsAfter(TimeProvider.System.GetUtcNow(), 1);
            return definition;
        }
        catch (Exception exception) when (exception is ArgumentException or TimeZoneNotFoundException)
        {
            throw new ImportRefusedException(Failure.TextOf(exception));
        }
    }

    // The ids of Windows are translated where the machine knows how; otherwise the library refuses them.
    private static string IanaId(string? id) => id is null ? "UTC" : TimeZoneInfo.TryConvertWindowsIdToIanaId(id, out var iana) ? iana : id;
}
