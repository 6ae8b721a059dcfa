using System.Data.Common;
using System.Text;
using TaskRecovery.Queue;
using TaskRecovery.Testing.Runs;

namespace TaskRecovery.Testing;

/// <summary>One run of a handler in a test: how it ended, and what it has stored.</summary>
public sealed class TestRun
{
    private readonly EntryJson _json;
    private readonly ReadOnlyMemory<byte> _result;
    private readonly ReadOnlyMemory<byte>? _checkpoint;

    internal TestRun(EntryJson json, ReadOnlyMemory<byte> result, ReadOnlyMemory<byte>? checkpoint)
    {
        _json = json;
        _result = result;
        _checkpoint = checkpoint;
    }

    /// <summary>How the run ended.</summary>
    public required RunEnd End { get; init; }

    /// <summary>The kind of the entry.</summary>
    public required string Kind { get; init; }

    /// <summary>The number of the attempt.</summary>
    public required int Attempt { get; init; }

    /// <summary>The maximum number of attempts.</summary>
    public required int MaxAttempts { get; init; }

    /// <summary>A stable code for why the run did not succeed (see <see cref="EndReasons"/>); <see langword="null"/> if there is
    /// none.</summary>
    public string? Reason { get; init; }

    /// <summary>The error text that is stored; <see langword="null"/> if there is none.</summary>
    public string? Error { get; init; }

    /// <summary>The exception that the handler threw; <see langword="null"/> if it returned.</summary>
    public Exception? Exception { get; init; }

    /// <summary>The delay before the next run, if <see cref="End"/> is <see cref="RunEnd.Retried"/>, <see cref="RunEnd.Snoozed"/> or
    /// <see cref="RunEnd.Released"/>.</summary>
    public TimeSpan? Delay { get; init; }

    /// <summary>Why the handler's token was cancelled; <see cref="StopReason.None"/> if it was not.</summary>
    public StopReason StopReason { get; init; }

    /// <summary>The transaction that the worker passed to <see cref="WorkContext.CompleteAsync"/>; <see langword="null"/> if it did not
    /// call it.</summary>
    public DbTransaction? CompletedIn { get; init; }

    /// <summary>The steps that the run has used, in order, including those whose stored result was returned.</summary>
    public required IReadOnlyList<TestStep> Steps { get; init; }

    /// <summary>The names of the steps whose delegates were called, in order.</summary>
    public IReadOnlyList<string> StepsRun => [.. Steps.Where(static step => step.WasRun).Select(static step => step.Name)];

    /// <summary>The places that the run has reached, in order.</summary>
    public required IReadOnlyList<Place> Places { get; init; }

    /// <summary>The result as JSON; <see langword="null"/> if the handler set none, or the run did not complete.</summary>
    public string? ResultJson => _result.IsEmpty ? null : Encoding.UTF8.GetString(_result.Span);

    /// <summary>The last stored checkpoint as JSON, including one of an earlier run; <see langword="null"/> if there is none.</summary>
    public string? CheckpointJson => _checkpoint is { } json ? Encoding.UTF8.GetString(json.Span) : null;

    /// <summary>Reads the result that the handler set.</summary>
    /// <exception cref="TestFailedException">There is no result.</exception>
    public T? Result<T>()
        => _result.IsEmpty
            ? throw new TestFailedException(this.Describe($"A result was expected, but the handler set none, or the run did not complete."))
            : _json.Read<T>(_result);

    /// <summary>Reads the last stored checkpoint; the default of <typeparamref name="T"/> if there is none.</summary>
    public T? Checkpoint<T>() => _checkpoint is { } json ? _json.Read<T>(json) : default;

    /// <summary>Checks that the run succeeded.</summary>
    /// <exception cref="TestFailedException">It ended otherwise.</exception>
    public TestRun ShouldComplete() => this.Expect(RunEnd.Completed, "to complete");

    /// <summary>Checks that the entry failed and is not run again.</summary>
    /// <param name="reason">The expected reason (see <see cref="EndReasons"/>); <see langword="null"/> for any. The text that a worker
    /// passes to <see cref="WorkContext.Fail"/> is the <see cref="Error"/>.</param>
    /// <exception cref="TestFailedException">The run ended otherwise.</exception>
    public TestRun ShouldFail(string? reason = null) => this.Expect(RunEnd.Failed, "to fail", reason);

    /// <summary>Checks that the entry was cancelled.</summary>
    /// <param name="reason">The expected reason (see <see cref="EndReasons"/>); <see langword="null"/> for any. The text that a worker
    /// passes to <see cref="WorkContext.Cancel"/> is the <see cref="Error"/>.</param>
    /// <exception cref="TestFailedException">The run ended otherwise.</exception>
    public TestRun ShouldCancel(string? reason = null) => this.Expect(RunEnd.Cancelled, "to be cancelled", reason);

    /// <summary>Checks that the attempt failed and the entry runs again.</summary>
    /// <param name="after">The expected delay; <see langword="null"/> for any. The default delay has a random jitter of up to 20 %, so
    /// check a delay only if the worker chooses it.</param>
    /// <exception cref="TestFailedException">The run ended otherwise.</exception>
    public TestRun ShouldRetry(TimeSpan? after = null) => this.Expect(RunEnd.Retried, "to be retried", delay: after);

    /// <summary>Checks that the handler snoozed the entry.</summary>
    /// <param name="delay">The expected delay; <see langword="null"/> for any.</param>
    /// <exception cref="TestFailedException">The run ended otherwise.</exception>
    public TestRun ShouldSnooze(TimeSpan? delay = null) => this.Expect(RunEnd.Snoozed, "to snooze", delay: delay);

    /// <summary>Checks that the entry was released without spending an attempt, as when the host stops.</summary>
    /// <exception cref="TestFailedException">The run ended otherwise.</exception>
    public TestRun ShouldRelease() => this.Expect(RunEnd.Released, "to be released");

    /// <summary>Checks that the run lost its claim.</summary>
    /// <exception cref="TestFailedException">The run ended otherwise.</exception>
    public TestRun ShouldLoseClaim() => this.Expect(RunEnd.ClaimLost, "to lose its claim");

    /// <summary>Describes the run, its steps and its error.</summary>
    public override string ToString() => this.Describe($"The run of '{Kind}' {this.HowItEnded()}.");
}
