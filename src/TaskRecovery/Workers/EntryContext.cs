using System.Data.Common;

namespace TaskRecovery.Workers;

/// <summary>What a worker is given. Everything is the run's; this class only gives it the worker's type of arguments.</summary>
internal sealed class EntryContext<TArgs>(WorkRun run, TArgs args) : WorkContext<TArgs>
    where TArgs : notnull
{
    public override TArgs Args => args;

    public override long EntryId => run.Entry.Id;

    public override long Fence => run.Fence;

    public override string Kind => run.Entry.Kind;

    public override string Queue => run.Queue;

    public override int Attempt => run.Entry.Attempt;

    public override int MaxAttempts => run.Entry.MaxAttempts;

    public override int Crashes => run.Entry.Crashes;

    public override DateTimeOffset CreatedAt => run.Entry.CreatedAt;

    public override IReadOnlyDictionary<string, string> Metadata => run.Metadata;

    public override StopReason StopReason => run.StopReason;

    public override IServiceProvider Services => run.Services;

    public override void SetResult<T>(T result) => run.SetResult(result);

    public override void Snooze(TimeSpan delay) => run.Snooze(delay);

    public override void Cancel(string reason) => run.Cancel(reason);

    public override void Fail(string reason) => run.Fail(reason);

    public override Task CompleteAsync(DbTransaction transaction, CancellationToken cancellationToken = default) => run.CompleteAsync(transaction, cancellationToken);

    public override Task<T> StepAsync<T>(string name, Func<CancellationToken, Task<T>> step, CancellationToken cancellationToken = default)
        => run.StepAsync(name, step, cancellationToken);

    public override Task StepAsync(string name, Func<CancellationToken, Task> step, CancellationToken cancellationToken = default)
        => run.StepAsync(name, step, cancellationToken);

    public override Task SaveCheckpointAsync<T>(T checkpoint, CancellationToken cancellationToken = default) => run.SaveCheckpointAsync(checkpoint, cancellationToken);

    public override Task<T?> GetCheckpointAsync<T>(CancellationToken cancellationToken = default)
        where T : default
        => run.GetCheckpointAsync<T>(cancellationToken);
}
