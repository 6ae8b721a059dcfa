namespace TaskRecovery.Diagnostics;

/// <summary>The name of the instance that a service belongs to. The instance without a name has none.</summary>
internal sealed record InstanceName(string Value);
