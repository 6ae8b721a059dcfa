using System.Diagnostics;
using TaskRecovery.Storage;

namespace TaskRecovery.Diagnostics;

/// <summary>Traces. The trace context of the enqueuing caller is stored with the entry, and every run of the entry continues that trace,
/// also after a recovery.</summary>
internal sealed class Tracing : IDisposable
{
    private readonly ActivitySource _source = new(TaskRecoveryDiagnostics.ActivitySourceName);

    /// <summary>The trace context to store with an entry; <see langword="null"/> if there is no W3C activity.</summary>
    public static string? TraceParent
        => Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity ? activity.Id : null;

    /// <summary>Starts the activity of an enqueue. An exception of a listener is ignored.</summary>
    /// <param name="queue">The queue; <see langword="null"/> if the entries have different ones.</param>
    /// <param name="kind">The kind; <see langword="null"/> if the entries have different ones.</param>
    /// <param name="count">The number of entries.</param>
    public Activity? StartEnqueue(string? queue, string? kind, int count)
        => _source.HasListeners()
            ? Guard.Ask((this, queue, kind, count), static sent => sent.Item1.StartSend(sent.queue, sent.kind, sent.count))
            : null;

    /// <summary>Ends an activity at the end of the caller's block. An exception of a listener is ignored.</summary>
    public static Ending EndOf(Activity? activity) => new(activity);

    /// <summary>Starts the activity of a run, as a child of the enqueuing caller's activity.</summary>
    public Activity? StartRun(ClaimedEntry entry, string queue, long fence)
    {
        return _source.HasListeners()
            ? Guard.Ask((this, entry, queue, fence), static run => run.Item1.StartProcess(run.entry, run.queue, run.fence))
            : null;
    }

    /// <summary>Records how a run ended.</summary>
    public static void Finish(Activity? activity, OutcomeKind outcome, Exception? exception)
    {
        if (activity is not null)
        {
            Guard.Notify((activity, outcome, exception), static run => Describe(run.activity, run.outcome, run.exception));
        }
    }

    /// <summary>Ends an activity.</summary>
    public static void End(Activity? activity)
    {
        if (activity is not null)
        {
            Guard.Notify(activity.Dispose);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _source.Dispose();

    /// <summary>Ends an activity when it is disposed.</summary>
    internal readonly struct Ending(Activity? activity) : IDisposable
    {
        public void Dispose() => End(activity);
    }

    private Activity? StartSend(string? queue, string? kind, int count)
    {
        var activity = _source.StartActivity(queue is null ? "send" : $"send {queue}", ActivityKind.Producer);
        if (activity is { IsAllDataRequested: true })
        {
            activity.SetTag("messaging.system", "taskrecovery");
            activity.SetTag("messaging.operation.type", "send");
            activity.SetTag("messaging.operation.name", "enqueue");
            activity.SetTag("messaging.destination.name", queue);
            activity.SetTag("taskrecovery.kind", kind);
            if (count > 1)
            {
                activity.SetTag("messaging.batch.message_count", count);
            }
        }

        return activity;
    }

    private Activity? StartProcess(ClaimedEntry entry, string queue, long fence)
    {
        // A malformed trace context (for example written by hand) must not prevent the run, which then starts a new trace.
        ActivityContext parent = default;
        if (entry.TraceParent is { } stored && ActivityContext.TryParse(stored, null, isRemote: true, out var parsed))
        {
            parent = parsed;
        }

        var activity = _source.StartActivity($"process {queue}", ActivityKind.Consumer, parent);
        if (activity is { IsAllDataRequested: true })
        {
            activity.SetTag("messaging.system", "taskrecovery");
            activity.SetTag("messaging.operation.type", "process");
            activity.SetTag("messaging.operation.name", "process");
            activity.SetTag("messaging.destination.name", queue);
            activity.SetTag("messaging.message.id", entry.Id);
            activity.SetTag("taskrecovery.kind", entry.Kind);
            activity.SetTag("taskrecovery.fence", fence);
            activity.SetTag("taskrecovery.attempt", entry.Attempt);
            activity.SetTag("taskrecovery.crashes", entry.Crashes);
        }

        return activity;
    }

    private static void Describe(Activity activity, OutcomeKind outcome, Exception? exception)
    {
        activity.SetTag("taskrecovery.outcome", Metrics.Name(outcome));
        if (outcome is not (OutcomeKind.Failed or OutcomeKind.Retried))
        {
            return;
        }

        activity.SetStatus(ActivityStatusCode.Error, Guard.Ask(exception, static thrown => thrown?.Message));
        if (exception is not null)
        {
            activity.SetTag("error.type", exception.GetType().FullName);
            activity.AddException(exception);
        }
    }
}
