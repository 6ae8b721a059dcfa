namespace TaskRecovery.Cli.Output;

/// <summary>The JSON of a dashboard that was started.</summary>
internal sealed record DashboardResult(string Link);
