namespace TaskRecovery.Dashboard.Hosting;

/// <summary>The instance of TaskRecovery that a dashboard shows. The one without a name has none.</summary>
internal sealed record DashboardInstance(string? Name);
