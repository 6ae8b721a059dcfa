namespace TaskRecovery.Cli.Import;

/// <summary>Where the tables of Quartz are.</summary>
/// <param name="Schema">The schema.</param>
/// <param name="Prefix">The prefix of the tables' names, in lower case, because Quartz does not quote them.</param>
/// <param name="Scheduler">The scheduler; <see langword="null"/> for the only one.</param>
internal sealed record QuartzTables(string Schema, string Prefix, string? Scheduler)
{
    /// <summary>The quoted name of a table.</summary>
    public string Name(string table) => $"{SourceDatabase.Quote(Schema)}.{SourceDatabase.Quote(Prefix + table)}";
}
