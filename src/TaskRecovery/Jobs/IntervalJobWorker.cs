using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Nodes;
using TaskRecovery.Queue;
using TaskRecovery.Storage;
using TaskRecovery.Workers;

namespace TaskRecovery.Jobs;

/// <summary>Runs the entries of jobs: finds or creates the task of an entry, and runs the user's handler for it.</summary>
/// <remarks>
/// An entry without a task id is a new run. Creating its task binds the task to the entry, so an entry that is claimed again (because its
/// node died or the attempt failed) runs the same task. An entry with a task id was created by recovery for a task whose entry was missing.
/// The store decides in one transaction, under the job's row lock, which of the two it is and whether it may run. Task and entry end in one
/// statement, when the outcome is stored.
/// </remarks>
internal sealed class IntervalJobWorker<TArgs, THandler>(
    IJobStore store, EntryJson json, WorkPipeline pipeline, ILogger logger) : KindRunner
    where TArgs : notnull
    where THandler : class, ITaskHandler<TArgs>
{
    // Another node may know the time zone. This one asks rarely, and logs each time.
    private static readonly TimeSpan UnplannableWait = TimeSpan.FromMinutes(1);

    // For a store that names no time. If the start has put the run back, this outcome is only a repetition.
    private static readonly TimeSpan DefaultWait = TimeSpan.FromSeconds(15);

    private readonly ILogger _logger = logger.Guarded();
    private readonly WorkDelegate _pipeline = pipeline.Build(static (context, cancellationToken) =>
    {
        var handler = context.Services.GetRequiredService<THandler>();
        context.Run.Handler = handler;
        return handler.RunAsync((TaskContext<TArgs>)context, cancellationToken);
    });

    public override bool BeginsEarly => true;

    // The starts that wait at the same moment share a transaction, so there are more of them than slots.
    public override bool TryBeginEarly(ClaimedEntry entry, NodeClaim claim, [NotNullWhen(true)] out Task? work)
    {
        try
        {
            work = AskAsync(entry, claim, ReadEntryArgs(entry));
            return true;
        }
        catch (InvalidArgsException)
        {
            // The run reports it.
            work = null;
            return false;
        }
    }

    public override async Task RunAsync(WorkRun run, CancellationToken cancellationToken)
    {
        if (await StartAsync(run, cancellationToken).ConfigureAwait(false) is not { Task: { } task, Job: { } job } start)
        {
            return;
        }

        // A start that is repeated, because its answer was lost or came too early, finds the task that the first one has created.
        (run.TaskId, run.IsNewTask) = (task.Id, start.Decision == TaskStartDecision.Started);
        if (start.Decision == TaskStartDecision.Recovered && task is not { Attempt: 1, Crashes: 0 })
        {
            _logger.TaskResumed(task.Id, job.Name, run.Entry.Attempt, run.Entry.Crashes);
        }

        var args = EntryArgs.Read<TArgs>(json, job.Kind, Encoding.UTF8.GetBytes(job.Args));
        var context = new TaskContext<TArgs>(run, args, job, task);
        run.Context = context;
        await _pipeline(context, cancellationToken).ConfigureAwait(false);
    }

    public override TimeSpan? NextRetry(WorkRun run, Exception exception)
        => run.Context is TaskContext<TArgs> context ? HandlerOf(run).NextRetry(context, exception) : null;

    // Middleware may have thrown before there was a handler.
    private static THandler HandlerOf(WorkRun run) => run.Handler as THandler ?? run.Services.GetRequiredService<THandler>();

    /// <summary>Asks the store for the entry's task. If there is none to run, requests how the run ends and returns
    /// <see langword="null"/>.</summary>
    private async Task<TaskStart?> StartAsync(WorkRun run, CancellationToken cancellationToken)
    {
        var args = ReadEntryArgs(run.Entry);
        TaskStart start;
        try
        {
            // The same request under the same claim has the same answer, unless the job was paused or deleted in the meantime. A start that
            // was stored before is answered with Recovered instead of Started; IsNewTask relies on that.
            var answer = run.Early?.TryTake(out var begun) == true ? (Task<TaskStart>)begun : AskAsync(run.Entry, run.Claim, args);
            start = await run.WhileLeasedAsync(answer).WaitOrAbandonAsync(cancellationToken).ConfigureAwait(false);
            run.IsStartAnswered = true;
        }
        catch (Exception exception) when (StoreFailures.Is(exception))
        {
            // The user's code has not run, so this must not spend an attempt. If the store did start the task, the next attempt finds it.
            // If the store skipped the run, it has ended the entry, and this outcome changes nothing.
            run.End(OutcomeKind.Snoozed, reason: null, exception.Message, StoreFailures.WaitAfter(exception));
            return null;
        }

        if (start is { Dropped: > 0, Job: { } late })
        {
            _logger.RunsDropped(late.Name, start.Dropped);
        }

        switch (start.Decision)
        {
            case TaskStartDecision.Started or TaskStartDecision.Recovered:
                return start;
            case TaskStartDecision.Superseded:
                run.End(OutcomeKind.Superseded, EndReasons.Superseded);
                break;
            case TaskStartDecision.ClaimLost:
                run.EndAsLost();
                break;
            case TaskStartDecision.Wait when start.Reason is { } problem:
                _logger.JobUnplannable(start.Job!.Name, problem);
                run.End(OutcomeKind.Snoozed, reason: null, delay: UnplannableWait);
                return null;
            case TaskStartDecision.Wait:
                run.End(OutcomeKind.Snoozed, reason: null, delay: start.WaitFor ?? DefaultWait);
                break;
            default:
                run.End(OutcomeKind.Cancelled, start.Reason);
                break;
        }

        _logger.RunSkipped(args.JobId, run.Entry.Id, start.Decision, start.Reason);
        return null;
    }

    private async Task<TaskStart> AskAsync(ClaimedEntry entry, NodeClaim claim, IntervalJobArgs args)
    {
        var request = new TaskStartRequest(
            claim.Lease.NodeId, entry.Id, claim.Fence, args.JobId, args.TaskId, entry.Attempt, entry.Kind, args.DueAt, args.Overlap,
            args.IsPlanned);
        return await store.StartTaskAsync(request, CancellationToken.None).ConfigureAwait(false);
    }

    private static IntervalJobArgs ReadEntryArgs(ClaimedEntry entry)
    {
        try
        {
            return JsonSerializer.Deserialize(entry.Args.Span, JobJson.Default.IntervalJobArgs)
                ?? throw new InvalidArgsException($"The arguments of entry {entry.Id} are null; a job's id is wanted.", null);
        }
        catch (JsonException exception)
        {
            throw new InvalidArgsException(
                $"The arguments of entry {entry.Id} name no job, at {exception.Path ?? "$"}: {exception.Message}", exception);
        }
    }
}
