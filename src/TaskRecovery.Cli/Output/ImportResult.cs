namespace TaskRecovery.Cli.Output;

/// <summary>The JSON of an import, or of its dry run.</summary>
internal sealed record ImportResult(
    string Source, bool IsDryRun, int Created, int Existing, int Refused, IReadOnlyList<ImportedItem> Items);
