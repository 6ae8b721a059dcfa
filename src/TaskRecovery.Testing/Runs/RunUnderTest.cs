using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Kinds;
using TaskRecovery.Nodes;
using TaskRecovery.Queue;
using TaskRecovery.Storage;
using TaskRecovery.Workers;

namespace TaskRecovery.Testing.Runs;

/// <summary>Runs an entry once, as an executor of a node does, but without a store.</summary>
internal static class RunUnderTest
{
    // Shared by all runs: nothing ends this node, and its lease has no deadline.
    private static readonly NodeLease Lease = new(
        new Node(Guid.NewGuid(), "test", TimeProvider.System), TimeProvider.System, long.MaxValue);

    /// <summary>Runs the entry until its handler returns, or until it crashes.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="runner">Runs the handler.</param>
    /// <param name="options">The test's options.</param>
    /// <param name="crashAt">Where the run crashes; <see langword="null"/> for nowhere.</param>
    /// <param name="cancellationToken">Stops waiting for the handler, and cancels its token.</param>
    public static async Task<EndedRun> RunAsync(
        EntryUnderTest entry, KindRunner runner, WorkerTestOptions options, CrashPoint? crashAt, CancellationToken cancellationToken)
    {
        // Not disposed: a crashed handler keeps their tokens.
        var stopping = new CancellationTokenSource();
        var source = new CancellationTokenSource();
        var log = new PlaceLog(options.Stops, crashAt, entry.Store, stopping);
        var progress = new ProgressWriter(entry.Store, options.Time);
        var services = new RunServices(
            entry.Store, progress, entry.Json, new OwnTransaction(entry.Store), options.Time, options.MaxResultBytes, stopping.Token, log);
        var run = new WorkRun(entry.Claim(), new NodeClaim(
            Lease, entry.Fence, options.Queue, 1, options.Time.GetTimestamp()), Bind(entry, runner, options), services);
        run.Begin(source);

        using var abandoning = cancellationToken.UnsafeRegister(static run => ((WorkRun)run!).Stop(StopReason.Shutdown), run);
        using var timer = run.TimeLimit is { } limit
            ? options.Time.CreateTimer(static run => ((WorkRun)run!).Stop(StopReason.TimedOut), run, limit, Timeout.InfiniteTimeSpan)
            : null;
        var handler = InvokeAsync(run, runner, options, entry.Store, source.Token);
        if (await Task.WhenAny(handler, log.Crashed).WaitAsync(cancellationToken).ConfigureAwait(false) != handler)
        {
            return new EndedRun(null, log.Places, handler);
        }

        // The handler may have ended because this token has cancelled its own.
        cancellationToken.ThrowIfCancellationRequested();
        var exception = await handler.ConfigureAwait(false);
        var result = Describe(entry, run, exception, log, options);

        // A run that is to crash may do so before the place of its stop.
        return crashAt is null && log.FindMissedStop() is { } missed
            ? throw NotReached(missed, result)
            : new EndedRun(result, log.Places, handler);
    }

    private static TestFailedException NotReached(PlannedStop missed, TestRun run)
        => new(
            run.Describe($"The run of '{run.Kind}' did not reach the place '{missed.At}', so it was not stopped there: it "
                + $"{run.HowItEnded()}. It reached: {string.Join("; ", run.Places.Distinct())}."),
            run.Exception);

    private static async Task<Exception?> InvokeAsync(
        WorkRun run, KindRunner runner, WorkerTestOptions options, MemoryStore store, CancellationToken cancellationToken)
    {
        AsyncServiceScope? scope = null;
        Exception? exception = null;
        try
        {
            scope = options.Services?.GetService<IServiceScopeFactory>()?.CreateAsyncScope();
            run.Services = scope?.ServiceProvider ?? options.Services ?? NoServices.Instance;
            await run.ReachAsync(RunPlace.Start).ConfigureAwait(false);
            await runner.RunAsync(run, cancellationToken).ConfigureAwait(false);
            store.HandlerReturned();
            await run.ReachAsync(RunPlace.End).ConfigureAwait(false);
        }
        catch (Exception thrown)
        {
            await run.ReachAsync(RunPlace.Thrown).ConfigureAwait(false);
            exception = thrown;
        }

        run.HandlerReturned(exception);
        run.TryEndUnstopped();
        if (scope is { } created)
        {
            await created.DisposeAsync().ConfigureAwait(false);
        }

        return exception;
    }

    private static WorkedKind Bind(EntryUnderTest entry, KindRunner runner, WorkerTestOptions options)
    {
        var registration = new KindRegistration
        {
            Kind = entry.Kind,
            ArgsType = typeof(object),
            IsTask = options is TaskHandlerTestOptions,
            Configure = bound => (bound.MaxAttempts, bound.Timeout, bound.RetryBase, bound.RetryMax, bound.KeepRunLog) = (
                options.Retry.MaxAttempts, options.Retry.Timeout, options.Retry.RetryBase, options.Retry.RetryMax,
                options.Retry.KeepRunLog),
        };
        return new WorkedKind(new BoundKind(registration, NoServices.Instance), runner);
    }

    private static TestRun Describe(EntryUnderTest entry, WorkRun run, Exception? exception, PlaceLog log, WorkerTestOptions options)
    {
        var outcome = run.Outcome;
        var isCommitted = run.CompletedInTransaction && exception is null && entry.Store.IsCommitted;
        var end = outcome is null || entry.Store.IsClaimLost ? RunEnd.ClaimLost : isCommitted ? RunEnd.Completed : Of(outcome.Kind);
        return new TestRun(entry.Json, end == RunEnd.Completed ? run.Result : default, entry.Store.Checkpoint)
        {
            End = end,
            Kind = entry.Kind,
            Attempt = entry.Attempt,
            MaxAttempts = options.MaxAttempts,
            Reason = isCommitted ? null : outcome?.Reason,
            Error = isCommitted ? null : outcome?.Error ?? exception?.ToString(),
            Exception = exception,
            Delay = end is RunEnd.Retried or RunEnd.Snoozed or RunEnd.Released ? outcome!.Delay : null,
            StopReason = run.StopReason,
            CompletedIn = entry.Store.CompletedIn,
            Steps = [.. log.Steps.Select(step => new TestStep(step.Name, step.WasRun, entry.Store.FindStep(step.Name), entry.Json))],
            Places = log.Places,
        };
    }

    /// <summary>How a run with this outcome has ended.</summary>
    public static RunEnd Of(OutcomeKind kind) => kind switch
    {
        OutcomeKind.Completed => RunEnd.Completed,
        OutcomeKind.Failed => RunEnd.Failed,
        OutcomeKind.Cancelled or OutcomeKind.Superseded => RunEnd.Cancelled,
        OutcomeKind.Retried => RunEnd.Retried,
        OutcomeKind.Snoozed => RunEnd.Snoozed,
        OutcomeKind.Released => RunEnd.Released,
        _ => RunEnd.ClaimLost,
    };
}
