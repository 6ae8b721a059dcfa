namespace TaskRecovery.Storage;

/// <summary>What the scripts of all stores have in common.</summary>
internal static class MigrationScript
{
    /// <summary>Returns the migrations from a number on.</summary>
    internal static IReadOnlyList<Migration> Select(IReadOnlyList<Migration> known, int from)
        => known.Any(migration => migration.Version == from)
            ? [.. known.Where(migration => migration.Version >= from)]
            : throw new ArgumentOutOfRangeException(
                nameof(from), $"There is no migration {from}: use {known[0].Version} to {known[^1].Version}.");

    /// <summary>A text as a literal of SQL.</summary>
    internal static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
