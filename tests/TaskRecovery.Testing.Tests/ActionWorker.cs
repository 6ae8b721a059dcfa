namespace TaskRecovery.Testing.Tests;

/// <summary>A worker that does what a test says.</summary>
internal sealed class ActionWorker<TArgs>(Func<WorkContext<TArgs>, CancellationToken, Task> work) : IJobWorker<TArgs>
    where TArgs : notnull
{
    public Func<WorkContext<TArgs>, Exception, TimeSpan?> NextRetry { get; init; } = static (_, _) => null;

    public Task WorkAsync(WorkContext<TArgs> context, CancellationToken cancellationToken) => work(context, cancellationToken);

    TimeSpan? IJobWorker<TArgs>.NextRetry(WorkContext<TArgs> context, Exception exception) => NextRetry(context, exception);
}
