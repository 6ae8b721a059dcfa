namespace TaskRecovery.Tests.Support;

/// <summary>Arguments that tests enqueue.</summary>
[JobKind("test.work")]
internal sealed record TestArgs(int Number = 0, string? Text = null);

/// <summary>A second kind.</summary>
[JobKind("test.other")]
internal sealed record OtherArgs(int Number);

/// <summary>What <see cref="TestWorker"/> does, said by the test.</summary>
internal sealed class TestWork
{
    public Func<WorkContext<TestArgs>, CancellationToken, Task> Do { get; set; } = static (_, _) => Task.CompletedTask;

    public Func<WorkContext<TestArgs>, Exception, TimeSpan?> NextRetry { get; set; } = static (_, _) => TimeSpan.Zero;
}

internal sealed class TestWorker(TestWork work) : IJobWorker<TestArgs>
{
    public Task WorkAsync(WorkContext<TestArgs> context, CancellationToken cancellationToken) => work.Do(context, cancellationToken);

    public TimeSpan? NextRetry(WorkContext<TestArgs> context, Exception exception) => work.NextRetry(context, exception);
}

internal sealed class OtherWorker : IJobWorker<OtherArgs>
{
    public Task WorkAsync(WorkContext<OtherArgs> context, CancellationToken cancellationToken) => Task.CompletedTask;
}

internal sealed class SecondTestWorker : IJobWorker<TestArgs>
{
    public Task WorkAsync(WorkContext<TestArgs> context, CancellationToken cancellationToken) => Task.CompletedTask;
}
