namespace TaskRecovery.Cli.Output;

/// <summary>The JSON of a migration, or of its check.</summary>
internal sealed record MigrationResult(IReadOnlyList<string> Applied, IReadOnlyList<string> Pending);
