namespace TaskRecovery.Testing.Tests;

/// <summary>A task handler that does what a test says.</summary>
internal sealed class ActionHandler<TArgs>(Func<TaskContext<TArgs>, CancellationToken, Task> run) : ITaskHandler<TArgs>
    where TArgs : notnull
{
    public Task RunAsync(TaskContext<TArgs> context, CancellationToken cancellationToken) => run(context, cancellationToken);
}
