using TaskRecovery.Storage;

namespace TaskRecovery.Cli.Commands;

/// <summary>What is wrong with the migrations of a database.</summary>
internal static class MigrationFindings
{
    /// <summary>The name of the check.</summary>
    public const string Check = "migrations";

    public static IReadOnlyList<StoreFinding> Of(IReadOnlyList<MigrationStatus> migrations)
    {
        var missing = Names(MigrationState.Missing);
        List<StoreFinding> found =
        [
            .. Names(MigrationState.Changed).Select(static name => new StoreFinding(
                Check, FindingLevel.Problem, $"Migration {name} is not the one of this version.",
                "Use the release that applied it, or restore a backup.")),
            .. migrations.Where(static one => one.State == MigrationState.TooNew).Select(static one => new StoreFinding(
                Check,
                FindingLevel.Problem,
                $"Migration {one.Name} needs version {one.OldestLibrary} or later.",
                "dotnet tool update --global TaskRecovery.Cli")),
            .. Names(MigrationState.Newer).Select(static name => new StoreFinding(
                Check, FindingLevel.Warning, $"A newer version applied migration {name}.", "dotnet tool update --global TaskRecovery.Cli")),
        ];
        if (missing.Length > 0)
        {
            found.Add(new StoreFinding(
                Check, FindingLevel.Problem, $"{missing.Length} migrations are missing, from {missing[0]} on.", "taskrecovery migrate"));
        }

        return found.Count > 0 ? found : [new StoreFinding(Check, FindingLevel.Ok, $"All {migrations.Count} are applied, and unchanged.")];

        string[] Names(MigrationState state) => [.. migrations.Where(one => one.State == state).Select(static one => one.Name)];
    }
}
