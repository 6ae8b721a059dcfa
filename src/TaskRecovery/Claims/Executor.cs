using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Diagnostics;
using TaskRecovery.Nodes;
using TaskRecovery.Rules;
using TaskRecovery.Storage;
using TaskRecovery.Workers;

namespace TaskRecovery.Claims;

/// <summary>One concurrency slot of a queue: runs entries one after the other while there are any.</summary>
[SuppressMessage(
    "Reliability", "CA1001",
    Justification = "A token source without timer or wait handle holds nothing, and handlers may read its token late.")]
internal sealed class Executor(ExecutorPool pool, WorkServices services) : IThreadPoolWorkItem
{
    // After this many consecutive entries whose handlers completed synchronously, the executor yields its thread.
    private const int MaxInARow = 64;

    private CancellationTokenSource _source = new();
    private volatile WorkRun? _current;

    /// <summary>The run in this slot; <see langword="null"/> if there is none.</summary>
    public WorkRun? Current => _current;

    void IThreadPoolWorkItem.Execute() => _ = RunAllAsync();

    private async Task RunAllAsync()
    {
        for (var inARow = 0; pool.TryTake(this, out var entry);)
        {
            var run = RunAsync(entry.Entry, entry.Claim, entry.Early);
            if (!run.IsCompleted)
            {
                inARow = 0;
            }

            var wasStopped = true;
            try
            {
                wasStopped = await run.ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                // The error occurred before the run began. Keep the slot working, and give this entry an outcome.
                services.Outcomes.EndBroken(entry.Entry, entry.Claim, exception);
            }

            pool.CountFinished();

            // We may be on the thread that cancelled the token. Yield, so that it does not run the next entry.
            if (++inARow >= MaxInARow || wasStopped)
            {
                inARow = 0;
                await Task.Yield();
            }
        }
    }

    // Returns whether the token was cancelled.
    private async ValueTask<bool> RunAsync(ClaimedEntry entry, NodeClaim claim, EarlyStart? early)
    {
        if (entry.Problem is not null && claim.Lease.IsValid)
        {
            services.Outcomes.EndUnreadable(entry, claim, after: early?.Abandon());
            return false;
        }

        if (!claim.Lease.IsValid || services.Runners.Find(entry.Kind) is not { } kind)
        {
            services.Outcomes.EndWithoutHandler(entry, claim, OutcomeKind.Released, after: early?.Abandon());
            return false;
        }

        if (pool.IsCancelRequested(entry, claim))
        {
            services.Outcomes.EndWithoutHandler(entry, claim, OutcomeKind.Cancelled, after: early?.Abandon());
            return false;
        }

        if (entry is { StartsWithin: { } limit, Attempt: 1, Crashes: 0 } && services.Time.GetElapsedTime(claim.AcceptedAt) > limit)
        {
            services.Outcomes.EndExpired(entry, claim, after: early?.Abandon());
            return false;
        }

        var run = new WorkRun(entry, claim, kind, services.Run) { Early = early };
        run.Begin(_source);
        run.MadeProgress();
        _current = run;
        claim.Lease.Node.RunBegins();
        if (!claim.Lease.IsValid)
        {
            run.Stop(StopReason.ClaimLost);
        }

        var activity = services.Tracing.StartRun(entry, claim.Queue, claim.Fence);
        Exception? exception = null;
        ITimer? timer = null;
        try
        {
            try
            {
                timer = StartTimer(run);
                await InvokeAsync(run, _source.Token).ConfigureAwait(false);
            }
            catch (Exception thrown)
            {
                exception = thrown;
            }
            finally
            {
                timer?.Dispose();
            }

            FaultPoints.Reach(FaultPoints.HandlerFinished);
            services.Outcomes.End(run, activity, exception);
        }
        catch (Exception broken) when (run.TryTakeOutcome())
        {
            services.Outcomes.EndBroken(entry, claim, broken);
        }
        finally
        {
            _current = null;
            claim.Lease.Node.RunEnded();
            Tracing.End(activity);
            if (!run.TryEndUnstopped() || !_source.TryReset())
            {
                _source = new CancellationTokenSource();
            }
        }

        return run.StopReason != StopReason.None;
    }

    private async ValueTask InvokeAsync(WorkRun run, CancellationToken cancellationToken)
    {
        AsyncServiceScope? scope = null;
        var log = run.Kind.Options.KeepRunLog ? services.Logs.Begin(run.Entry.Id, run.Fence) : null;
        try
        {
            scope = services.Scopes.CreateAsyncScope();
            run.Services = scope.Value.ServiceProvider;
            FaultPoints.Reach(FaultPoints.HandlerStarted);
            await run.ReachAsync(RunPlace.Start).ConfigureAwait(false);
            await run.Runner.RunAsync(run, cancellationToken).ConfigureAwait(false);
            await run.ReachAsync(RunPlace.End).ConfigureAwait(false);
            run.HandlerReturned(exception: null);
        }
        catch (Exception exception)
        {
            if (exception is ObjectDisposedException && IsHostDisposed())
            {
                // The host was disposed without having been stopped, and this service has not been disposed yet.
                run.Stop(StopReason.Shutdown);
                pool.StopStarting();
            }

            await run.ReachAsync(RunPlace.Thrown).ConfigureAwait(false);

            // The outcome is decided before the scope is disposed, because the worker may choose the delay of the next attempt.
            run.HandlerReturned(exception);
            throw;
        }
        finally
        {
            if (scope is { } created)
            {
                await DisposeAsync(created, run).ConfigureAwait(false);
            }

            if (log is not null)
            {
                services.Logs.End(log);
            }
        }
    }

    private bool IsHostDisposed()
    {
        try
        {
            services.Scopes.CreateScope().Dispose();
            return false;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }

    private async ValueTask DisposeAsync(AsyncServiceScope scope, WorkRun run)
    {
        try
        {
            await scope.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            services.Logger.ScopeFailed(run.Entry.Id, run.Entry.Kind, exception);
        }
    }

    private ITimer? StartTimer(WorkRun run)
        => run.TimeLimit is { } limit
            ? services.Time.CreateTimer(
                static state => ((WorkRun)state!).Stop(StopReason.TimedOut),
                run,
                limit < EntryLimits.LongestTimeout ? limit : EntryLimits.LongestTimeout,
                Timeout.InfiniteTimeSpan)
            : null;
}
