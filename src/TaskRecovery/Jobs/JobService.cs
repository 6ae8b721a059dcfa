using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Kinds;
using TaskRecovery.Queue;
using TaskRecovery.Recovery;
using TaskRecovery.Rules;
using TaskRecovery.Schedules;
using TaskRecovery.Storage;

namespace TaskRecovery.Jobs;

/// <summary>The job service for users and the start-up hook.</summary>
internal sealed class JobService(
    IJobStore store, IQueueOperator actions, ApplicationActor application, JobPlanner planner, TaskKinds kinds,
    EntryJson json, PayloadCodecs codecs, OwnTransaction own, TimeProvider time, IOptions<TaskRecoveryOptions> options,
    ILogger<JobService> logger)
    : IJobService
{
    private readonly ILogger _logger = logger.Guarded();

    public async Task<Job> CreateOrUpdateAsync<TArgs>(
        JobDefinition definition, TArgs args, CancellationToken cancellationToken = default)
        where TArgs : notnull
    {
        own.Refuse(nameof(CreateOrUpdateAsync));
        var job = await ReadyAsync(definition, args, declaredBy: null, cancellationToken).ConfigureAwait(false);
        return await store.UpsertAsync(job, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Returns whether a stored digest is that of a declaration.</summary>
    internal bool IsDeclaredAs<TArgs>(JobDefinition definition, TArgs args, string stored)
        where TArgs : notnull
    {
        var kind = kinds.Find(typeof(TArgs));
        return NewJob.IsSameDigest(stored, JobDigest.Of(definition, kind, json.Write(args)), KeepsMaxAttempts(definition, kind));
    }

    /// <summary>Checks a job and returns it as it is stored; <paramref name="declaredBy"/> is the application that declares it in its code,
    /// or <see langword="null"/>.</summary>
    internal async Task<NewJob> ReadyAsync<TArgs>(
        JobDefinition definition, TArgs args, string? declaredBy, CancellationToken cancellationToken)
        where TArgs : notnull
    {
        JobRules.Check(definition);
        ArgumentNullException.ThrowIfNull(args);
        var kind = kinds.Find(typeof(TArgs));
        var stored = json.Write(args);
        if (EntryText.HasEscapedNul(stored))
        {
            throw new ArgumentException(
                "The arguments have a NUL character, which databases can't store as text. Remove it.", nameof(args));
        }

        if (stored.Length > options.Value.MaxArgsBytes)
        {
            throw new ArgumentException(
                $"The arguments have {stored.Length:N0} bytes of JSON; at most {options.Value.MaxArgsBytes:N0} "
                + $"({nameof(TaskRecoveryOptions.MaxArgsBytes)}) are stored. Store the data elsewhere and pass a reference.",
                nameof(args));
        }

        var maxAttempts = definition.MaxAttempts ?? kind.Options.MaxAttempts;
        var declaredAs = declaredBy is null ? null : JobDigest.Of(definition, kind, stored);
        stored = await EncodeAsync(definition.Name, codecs.Find(typeof(TArgs)), stored, cancellationToken).ConfigureAwait(false);
        return new NewJob(definition, kind.Kind, TaskEntryKind.Of(kind.Kind), stored, maxAttempts, declaredBy, declaredAs)
        {
            KeepsMaxAttempts = KeepsMaxAttempts(definition, kind),
        };
    }

    private static bool KeepsMaxAttempts(JobDefinition definition, TaskKind kind) => definition.MaxAttempts is null && !kind.IsHandled;

    public Task<Job?> GetAsync(Guid jobId, CancellationToken cancellationToken = default) => store.FindAsync(jobId, cancellationToken);

    public Task<Job?> GetByNameAsync(string name, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return store.FindByNameAsync(name, cancellationToken);
    }

    public Task<JobPage> ListAsync(JobQuery? query = null, CancellationToken cancellationToken = default)
    {
        query ??= new JobQuery();
        QueryRules.Check(query);
        return query.NameContains is null ? store.ListAsync(query, cancellationToken) : throw new ArgumentException(
            $"{nameof(query.NameContains)} is '{EntryText.Shown(query.NameContains)}': use {nameof(IQueueMonitor)}."
            + $"{nameof(IQueueMonitor.ListJobsAsync)} to search in names. It has a time limit.", nameof(query));
    }

    public async Task<bool> PauseAsync(
        Guid jobId, string? reason = null, string? actor = null, DateTimeOffset? until = null,
        CancellationToken cancellationToken = default)
    {
        var audit = actor is null ? application.Because(reason) : new AuditInfo(actor, reason);
        return await actions.PauseAsync(PauseTarget.Job(jobId), audit, until, cancellationToken)
            .ConfigureAwait(false) == OperatorResult.Done;
    }

    public async Task<bool> ResumeAsync(Guid jobId, CancellationToken cancellationToken = default)
        => await actions.ResumeAsync(PauseTarget.Job(jobId), application.Because(), cancellationToken)
            .ConfigureAwait(false) != OperatorResult.NotFound;

    public async Task<bool> DeleteAsync(Guid jobId, CancellationToken cancellationToken = default)
        => await actions.DeleteJobAsync(jobId, application.Because(), cancellationToken).ConfigureAwait(false) == OperatorResult.Done;

    public async Task<long> TriggerNowAsync(Guid jobId, OverlapPolicy? overlap = null, CancellationToken cancellationToken = default)
        => await actions.TriggerJobAsync(jobId, application.Because(), overlap, cancellationToken).ConfigureAwait(false)
            ?? throw new InvalidOperationException(
                $"Job {jobId} can't be run now: there is no such job, or it is paused or has ended. Look at it with GetAsync; "
                + "ResumeAsync lets a paused one run again.");

    public async Task<int> BackfillAsync(Guid jobId, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken = default)
    {
        AmbientTransaction.Refuse(nameof(BackfillAsync), "Call it after the scope, or in a scope with TransactionScopeOption.Suppress.");
        own.Refuse(nameof(BackfillAsync));
        return await actions.BackfillJobAsync(jobId, from, to, application.Because(), cancellationToken).ConfigureAwait(false);
    }

    public async Task<DateTimeOffset?> GetNextRunAsync(Guid jobId, CancellationToken cancellationToken = default)
        => await store.FindAsync(jobId, cancellationToken).ConfigureAwait(false) is { State: JobState.Active } job ? job.NextRunAt : null;

    public async Task<IReadOnlyList<DateTimeOffset>> GetNextRunsAsync(
        Guid jobId, int count = 10, CancellationToken cancellationToken = default)
    {
        RunTimes.CheckPreviewed(count);
        return await store.FindAsync(jobId, cancellationToken).ConfigureAwait(false)
            is { State: JobState.Active, NextRunAt: { } next } job
            ? JobTimes.Compute(job, planned => NextRuns.Of(planned, next, count, time.GetUtcNow()))
            : [];
    }

    public async Task<int> RecoverJobsAsync(CancellationToken cancellationToken = default)
    {
        own.Refuse(nameof(RecoverJobsAsync));
        var planned = await planner.RecoverAsync(cancellationToken).ConfigureAwait(false);
        if (planned > 0)
        {
            _logger.JobsRecovered(planned);
        }

        return planned;
    }

    // A codec that encrypts returns other bytes each time. Arguments that did not change keep the stored bytes, so that a job which is
    // declared at every start counts as changed only if it is.
    private async Task<byte[]> EncodeAsync(string name, IPayloadCodec? codec, byte[] json, CancellationToken cancellationToken)
    {
        if (codec is not null && await store.FindByNameAsync(name, cancellationToken).ConfigureAwait(false) is { } held)
        {
            var stored = Encoding.UTF8.GetBytes(held.Args);
            if (codecs.Holds(codec, stored, json))
            {
                return stored;
            }
        }

        return PayloadCodecs.Encode(codec, json);
    }
}
