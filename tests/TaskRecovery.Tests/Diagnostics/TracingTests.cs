using System.Diagnostics;
using TaskRecovery.Diagnostics;
using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Diagnostics;

/// <summary>The trace of the caller that enqueued goes on in the handler.</summary>
public sealed class TracingTests : IDisposable
{
    private readonly Tracing _tracing = new();
    private readonly ActivityListener _listener = new()
    {
        ShouldListenTo = source => source.Name == TaskRecoveryDiagnostics.ActivitySourceName,
        Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
    };

    public TracingTests() => ActivitySource.AddActivityListener(_listener);

    public void Dispose()
    {
        _tracing.Dispose();
        _listener.Dispose();
    }

    [Fact]
    public void A_run_is_a_child_of_the_enqueue_whose_context_was_stored()
    {
        string? stored;
        ActivityTraceId trace;
        using (var enqueue = _tracing.StartEnqueue("mail", "mail.send", 1))
        {
            stored = Tracing.TraceParent;
            trace = enqueue!.TraceId;
        }

        using var run = _tracing.StartRun(Entry(stored), "mail", fence: 9);

        Assert.Equal(trace, run!.TraceId);
        Assert.Equal(stored, run.ParentId);
        Assert.Equal(ActivityKind.Consumer, run.Kind);
        Assert.Equal(9L, run.GetTagItem("taskrecovery.fence"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("not a trace context")]
    public void A_run_without_a_readable_context_starts_a_trace_of_its_own(string? stored)
    {
        using var run = _tracing.StartRun(Entry(stored), "mail", fence: 9);

        Assert.NotNull(run);
        Assert.Null(run.ParentId);
    }

    [Fact]
    public void A_failed_run_says_so()
    {
        using var run = _tracing.StartRun(Entry(null), "mail", fence: 9);

        Tracing.Finish(run, OutcomeKind.Retried, new InvalidOperationException("no luck"));

        Assert.Equal(ActivityStatusCode.Error, run!.Status);
        Assert.Equal("retried", run.GetTagItem("taskrecovery.outcome"));
        Assert.Equal("System.InvalidOperationException", run.GetTagItem("error.type"));
    }

    [Theory]
    [InlineData(OutcomeKind.Cancelled)]
    [InlineData(OutcomeKind.Released)]
    public void A_cancel_that_was_asked_for_is_no_error(OutcomeKind outcome)
    {
        using var run = _tracing.StartRun(Entry(null), "mail", fence: 9);

        Tracing.Finish(run, outcome, new OperationCanceledException());

        Assert.Equal(ActivityStatusCode.Unset, run!.Status);
        Assert.Null(run.GetTagItem("error.type"));
    }

    private static ClaimedEntry Entry(string? traceParent) => new()
    {
        Id = 4,
        Kind = "mail.send",
        Priority = 5,
        Args = "{}"u8.ToArray(),
        Attempt = 1,
        MaxAttempts = 10,
        Crashes = 0,
        CreatedAt = DateTimeOffset.UnixEpoch,
        Waited = TimeSpan.Zero,
        TraceParent = traceParent,
    };
}
