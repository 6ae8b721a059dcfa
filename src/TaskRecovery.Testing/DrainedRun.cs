using System.Globalization;
using TaskRecovery.Testing.Runs;

namespace TaskRecovery.Testing;

/// <summary>One run of an entry in a drain.</summary>
public sealed record DrainedRun
{
    /// <summary>The id of the entry.</summary>
    public required long EntryId { get; init; }

    /// <summary>The kind of the entry.</summary>
    public required string Kind { get; init; }

    /// <summary>The queue of the entry.</summary>
    public required string Queue { get; init; }

    /// <summary>The number of the attempt.</summary>
    public required int Attempt { get; init; }

    /// <summary>The maximum number of attempts of the entry.</summary>
    public required int MaxAttempts { get; init; }

    /// <summary>How the run ended.</summary>
    public required RunEnd End { get; init; }

    /// <summary>The arguments of the entry as JSON.</summary>
    public required string Args { get; init; }

    /// <summary>A stable code for why the run did not succeed (see <see cref="EndReasons"/>); <see langword="null"/> if there is
    /// none.</summary>
    public string? Reason { get; init; }

    /// <summary>The error text that is stored; <see langword="null"/> if there is none.</summary>
    public string? Error { get; init; }

    /// <summary>The exception that the handler threw; <see langword="null"/> if it returned.</summary>
    public Exception? Exception { get; init; }

    /// <summary>Why the handler's token was cancelled; <see cref="StopReason.None"/> if it was not.</summary>
    public StopReason StopReason { get; init; }

    /// <summary>When the entry runs again, by the time of the queue; <see langword="null"/> if it does not.</summary>
    public DateTimeOffset? NextRunAt { get; init; }

    /// <summary>Whether the handler's work was not done, although nothing had asked the run to stop.</summary>
    internal bool IsFailure => End is RunEnd.Failed or RunEnd.ClaimLost || IsRepeated;

    /// <summary>Whether production repeats the run because its attempt failed, or because its store was not available.</summary>
    internal bool IsRepeated
        => End == RunEnd.Retried || (End == RunEnd.Released && Exception is not null && StopReason == StopReason.None);

    /// <summary>Describes the run.</summary>
    public override string ToString()
    {
        var attempt = string.Create(CultureInfo.InvariantCulture, $"attempt {Attempt} of {MaxAttempts}");
        var reason = Reason is null ? "" : $" ({Reason})";
        var error = Exception is { } exception ? $": {exception.GetType().Name}: {exception.Message.ReplaceLineEndings(" ")}" : Error
            is { } text ? $": {text.ReplaceLineEndings(" ")}" : "";
        return $"entry {EntryId.ToString(CultureInfo.InvariantCulture)}, "
            + $"kind {Kind}, {attempt}: {End}{reason}{RunText.Shorten(error)}\n    args: {RunText.Shorten(Args)}";
    }
}
