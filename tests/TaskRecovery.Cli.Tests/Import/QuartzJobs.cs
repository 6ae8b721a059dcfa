using Quartz;

namespace TaskRecovery.Cli.Tests.Import;

/// <summary>A job of an application of Quartz, of which one run is in progress at most.</summary>
[DisallowConcurrentExecution]
public sealed class ReportJob : IJob
{
    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;
}

public sealed class SyncJob : IJob
{
    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;
}
