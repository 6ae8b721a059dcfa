namespace TaskRecovery.Cli.Output;

/// <summary>The JSON of one thing that was imported or not.</summary>
internal sealed record ImportedItem(string Id, string Name, ImportVerdict Verdict, string? What, string? Reason);
