namespace TaskRecovery.Cli.Output;

/// <summary>The JSON of a backup.</summary>
internal sealed record BackupResult(string File, long Bytes);
