using System.Globalization;
using Microsoft.Data.Sqlite;
using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Examines a file, its folder and its drive.</summary>
/// <param name="database">The file.</param>
/// <param name="describeDrive">Returns the type and the name of the file system that a folder is on.</param>
internal sealed class SqliteDoctor(SqliteDatabase database, Func<string, (DriveType Type, string Format)> describeDrive) : IStoreDoctor
{
    private const UnixFileMode Writers = UnixFileMode.UserWrite | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
    private const long LeastFreeBytes = 1 << 20;

    public SqliteDoctor(SqliteDatabase database)
        : this(database, FileSystems.Describe)
    {
    }

    public async ValueTask<IReadOnlyList<StoreFinding>> ExamineAsync(DoctorLimits limits, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(limits);
        List<StoreFinding> findings =
        [
            .. Check("version", CheckVersion),
            .. Check("network drive", CheckDrive),
            .. Check("rights", CheckRights),
            .. Check("free space", () => CheckSpace(limits)),
            .. Check("log size", () => CheckLog(limits)),
            .. await ReadAsync("journal", CheckJournal).ConfigureAwait(false),
            .. await ReadAsync("quick_check", CheckPages).ConfigureAwait(false),
            .. await ReadAsync("indexes", CheckIndexes).ConfigureAwait(false),
            .. await ReadAsync("foreign code", CheckForeignCode).ConfigureAwait(false),
            .. await ReadAsync("held entries", session => CheckHeld(session, limits)).ConfigureAwait(false),
            .. await ReadAsync("retention", session => CheckRetention(session, limits)).ConfigureAwait(false),
            .. await ReadAsync("sizes", CheckSizes).ConfigureAwait(false),
        ];
        return findings;

        async ValueTask<List<StoreFinding>> ReadAsync(string check, Func<SqliteSession, List<StoreFinding>> examine)
        {
            try
            {
                return OrOk(check, await database.ReadAsync(examine, cancellationToken).ConfigureAwait(false));
            }
            catch (Exception exception) when (exception is TaskRecoveryException or SqliteException)
            {
                return [Failed(check, exception)];
            }
        }
    }

    private static List<StoreFinding> Check(string check, Func<List<StoreFinding>> examine)
    {
        try
        {
            return OrOk(check, examine());
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [Failed(check, exception)];
        }
    }

    private static List<StoreFinding> OrOk(string check, List<StoreFinding> found)
        => found.Count > 0 ? found : [new StoreFinding(check, FindingLevel.Ok, "Nothing found.")];

    private static StoreFinding Failed(string check, Exception exception)
        => new(check, FindingLevel.Problem, "This could not be checked.", exception.Message);

    private List<StoreFinding> CheckVersion()
    {
        var version = SqliteVersions.ToText(database.SqliteVersion);
        return SqliteVersions.HasWalResetBug(database.SqliteVersion)
            ? [new("version", FindingLevel.Problem, $"SQLite {version} can damage a file that two "
                + "connections write: no node starts.", "Reference SQLitePCLRaw.bundle_e_sqlite3 3.0.5 or later.")]
            : [new("version", FindingLevel.Ok, $"SQLite {version} in this tool.")];
    }

    private List<StoreFinding> CheckDrive()
    {
        var (type, format) = describeDrive(Path.GetDirectoryName(database.Path)!);
        return FileSystems.IsShared(type, format)
            ?
            [
                new(
                    "network drive",
                    FindingLevel.Problem,
                    $"'{database.Path}' is on a file system ({format}) on which locks between processes do not work: it can be damaged.",
                    "Stop every node, and move the file to a local disk."),
            ]
            : [];
    }

    private List<StoreFinding> CheckRights()
    {
        var found = new List<StoreFinding>();
        if (database.FindExposure() is { } exposure)
        {
            var at = exposure.LastIndexOf(". ", StringComparison.Ordinal);
            found.Add(new("rights", FindingLevel.Warning, exposure[..(at + 1)], $"{exposure[(at + 2)..]}."));
        }

        if (File.GetAttributes(database.Path).HasFlag(FileAttributes.ReadOnly)
            || (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(database.Path) & Writers) == UnixFileMode.None))
        {
            found.Add(new("rights", FindingLevel.Problem, $"'{database.Path}' is read-only.", $"chmod u+w {Quoted(database.Path)}"));
        }

        return found;
    }

    private List<StoreFinding> CheckSpace(DoctorLimits limits)
    {
        var free = new DriveInfo(Path.GetDirectoryName(database.Path)!).AvailableFreeSpace;
        return free < limits.FreeDiskBytes
            ? [new("free space", FindingLevel.Warning, $"The disk of '{database.Path}' has {Size(free)} left.", "Remove files from the "
                + "disk, or move the file to a larger one.")]
            : [];
    }

    private List<StoreFinding> CheckLog(DoctorLimits limits)
    {
        var log = new FileInfo($"{database.Path}-wal");
        return log.Exists && log.Length >= limits.LogBytes
            ?
            [
                new(
                    "log size",
                    FindingLevel.Warning,
                    $"The write-ahead log has {Size(log.Length)}: a transaction that stays open keeps it from being reused.",
                    "End that transaction, then run: pragma wal_checkpoint(truncate)"),
            ]
            : [];
    }

    private static List<StoreFinding> CheckJournal(SqliteSession session)
        => session.Query(DoctorSql.JournalMode) is var mode && string.Equals(mode, "wal", StringComparison.OrdinalIgnoreCase)
            ? []
            : [new("journal", FindingLevel.Warning, $"The journal mode is '{mode}': readers and the writer wait for "
                + "each other.", "pragma journal_mode = wal")];

    private List<StoreFinding> CheckPages(SqliteSession session)
    {
        var found = new List<StoreFinding>();
        using var statement = session.Prepare(DoctorSql.QuickCheck);
        while (statement.Step())
        {
            if (statement.NullableText(0) is { } text && text != "ok")
            {
                found.Add(new("quick_check", FindingLevel.Problem, $"The file is damaged: {text}.", "Restore a backup, "
                    + $"or save what can be read: sqlite3 {Quoted(database.Path)} .recover"));
            }
        }

        return found;
    }

    private static List<StoreFinding> CheckIndexes(SqliteSession session)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        using var statement = session.Prepare(DoctorSql.Indexes);
        while (statement.Step())
        {
            names.Add(statement.Text(0));
        }

        return
        [
            .. MigrationIndexes.Of(SqliteMigrator.Known).Where(index => !names.Contains(index.Key)).Select(static index => new StoreFinding(
                "indexes", FindingLevel.Problem, $"Index {index.Key} is missing.", index.Value)),
        ];
    }

    private static List<StoreFinding> CheckForeignCode(SqliteSession session)
    {
        var found = new List<StoreFinding>();
        using var statement = session.Prepare(DoctorSql.ForeignCode);
        while (statement.Step())
        {
            var (type, name, table) = (statement.Text(0), statement.Text(1), statement.Text(2));
            found.Add(new(
                "foreign code",
                FindingLevel.Problem,
                $"The {type} '{name}' on '{table}' is not the library's, and changes what it does: no node starts.",
                $"drop {type} \"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\""));
        }

        return found;
    }

    private List<StoreFinding> CheckHeld(SqliteSession session, DoctorLimits limits)
    {
        var found = new List<StoreFinding>();
        using var statement = session.Prepare(DoctorSql.Held).Bind(1, database.Now() - Micros.From(limits.Claim));
        while (statement.Step())
        {
            var (node, entries, entry) = (statement.Text(0), statement.Int64(1), statement.Int64(3));
            found.Add(new(
                "held entries",
                FindingLevel.Warning,
                string.Create(CultureInfo.InvariantCulture, $"Node {node} holds {entries} entries since {Time(statement.Int64(2))}, "
                    + $"the first of which is {entry}."),
                string.Create(CultureInfo.InvariantCulture, $"taskrecovery show {entry}; taskrecovery cancel {entry}")));
        }

        return found;
    }

    private List<StoreFinding> CheckRetention(SqliteSession session, DoctorLimits limits)
    {
        using var statement = session.Prepare(DoctorSql.Retention).Bind(1, database.Now() - Micros.From(limits.Retention));
        return statement.Scalar() is { } oldest
            ?
            [
                new(
                    "retention",
                    FindingLevel.Warning,
                    $"Entries that ended before {Time(oldest)} are still stored: nothing removes old entries.",
                    "Start a node, which removes old entries; its log says if it fails."),
            ]
            : [];
    }

    private static List<StoreFinding> CheckSizes(SqliteSession session)
    {
        var page = Number(DoctorSql.PageSize);
        var (all, free) = (Number(DoctorSql.PageCount) * page, Number(DoctorSql.FreePages) * page);
        var text = $"{Size(all)} in all, {Size(free)} of them free.";
        return free > all / 2 && free >= LeastFreeBytes
            ? [new("sizes", FindingLevel.Warning, text, "Stop every node, then run: vacuum")]
            : [new("sizes", FindingLevel.Ok, text)];

        long Number(string pragma)
        {
            using var statement = session.Prepare(pragma);
            return statement.Scalar() ?? 0;
        }
    }

    private static string Time(long micros) => Micros.ToTime(micros).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Size(long bytes) => bytes switch
    {
        >= 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.0} GiB"),
        >= 1L << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):0.0} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0} KiB"),
    };

    private static string Quoted(string path) => $"'{path.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
