namespace TaskRecovery.Storage;

/// <summary>A row of <c>taskrecovery_migrations</c>.</summary>
internal sealed record AppliedMigration(int Version, string Name, string Checksum, string OldestLibrary, DateTimeOffset AppliedAt)
{
    /// <summary>Compares what a database has with what a library knows.</summary>
    /// <param name="known">The migrations of the library.</param>
    /// <param name="applied">The migrations of the database.</param>
    /// <param name="library">The version of the library.</param>
    /// <returns>All of them, by number.</returns>
    internal static IReadOnlyList<MigrationStatus> Compare(
        IReadOnlyList<Migration> known, IReadOnlyCollection<AppliedMigration> applied, Version library)
    {
        var byVersion = applied.ToDictionary(static one => one.Version);
        var ours = known.Select(migration => byVersion.TryGetValue(migration.Version, out var one)
            ? new MigrationStatus(
                one.Version,
                one.Name,
                string.Equals(one.Checksum, migration.Checksum, StringComparison.Ordinal) ? MigrationState.Applied : MigrationState.Changed,
                one.AppliedAt,
                one.OldestLibrary)
            : new MigrationStatus(migration.Version, migration.Name, MigrationState.Missing, null, migration.OldestLibrary.ToString()));
        var unknown = applied.Where(one => known.All(migration => migration.Version != one.Version)).Select(one => new MigrationStatus(
            one.Version,
            one.Name,
            System.Version.Parse(one.OldestLibrary) > library ? MigrationState.TooNew : MigrationState.Newer,
            one.AppliedAt,
            one.OldestLibrary));
        return [.. ours.Concat(unknown).OrderBy(static status => status.Version)];
    }
}
