using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>A job that this node can't plan, because it does not know the time zone of its schedule, or because the stored schedule was
/// edited by hand and can't be read. Another node may be able to plan it.</summary>
/// <param name="Name">The name of the job.</param>
/// <param name="Problem">Why it can't be planned.</param>
[Experimental("TASKRECOVERY001")]
public sealed record UnplannableJob(string Name, string Problem)
{
    /// <summary>Returns whether an exception of the planning means that the job can't be planned by this node.</summary>
    public static bool IsProblem(Exception exception)
        => exception is TimeZoneNotFoundException or InvalidTimeZoneException or ArgumentException or FormatException;

    /// <summary>Describes such an exception for an operator.</summary>
    public static UnplannableJob Of(string name, Exception exception) => new(name, ProblemOf(exception));

    // The texts of the runtime name files of this machine, or parameters of methods.
    private static string ProblemOf(Exception exception) => exception switch
    {
        InvalidTimeZoneException => "this machine can't read the time zone of its schedule. Repair the time zone data of the operating "
            + "system (the package tzdata on Linux).",
        ArgumentException { ParamName: { } parameter }
            => exception.Message.Replace($" (Parameter '{parameter}')", "", StringComparison.Ordinal),
        _ => exception.Message,
    };
}
