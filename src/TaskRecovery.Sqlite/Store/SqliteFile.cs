using Microsoft.Data.Sqlite;

namespace TaskRecovery.Sqlite;

/// <summary>The database file that a connection string names: what can't hold a queue is refused before anything is opened.</summary>
internal sealed class SqliteFile
{
    // A share of the host in a virtual machine locks as badly as one of the network; the runtime does not count these as network drives.
    private static readonly string[] SharedFormats = ["9p", "v9fs", "fuse.sshfs", "vboxsf", "fuse.vmhgfs-fuse", "virtiofs"];

    private readonly string _connectionString;

    /// <summary>Reads a connection string of Microsoft.Data.Sqlite.</summary>
    /// <exception cref="ArgumentException">It names no file, or one that can't hold a queue.</exception>
    public SqliteFile(string connectionString)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(connectionString);
        var builder = new SqliteConnectionStringBuilder(connectionString);
        var source = builder.DataSource;
        if (string.IsNullOrWhiteSpace(source))
        {
            throw new ArgumentException($"The connection string '{connectionString}' names no file. Write 'Data Source=tasks.db'.", nameof(connectionString));
        }

        if (source.Contains(":memory:", StringComparison.OrdinalIgnoreCase) || builder.Mode == SqliteOpenMode.Memory)
        {
            throw new ArgumentException(
                $"The connection string '{connectionString}' names a database in memory, which loses every entry with its process. Name a file: 'Data Source=tasks.db'. For a test, one in the temporary folder.",
                nameof(connectionString));
        }

        if (source.StartsWith("file:", StringComparison.OrdinalIgnoreCase))
        {
            throw new ArgumentException($"The connection string '{connectionString}' names a URI. Name the file by its path: 'Data Source=tasks.db'.", nameof(connectionString));
        }

        if (builder.Mode == SqliteOpenMode.ReadOnly)
        {
            throw new ArgumentException($"The connection string '{connectionString}' opens the file for reading only, but a queue writes. Leave out 'Mode'.", nameof(connectionString));
        }

        FullPath = Path.GetFullPath(source);
        builder.DataSource = FullPath;
        builder.Cache = SqliteCacheMode.Private;
        builder.Pooling = false;
        builder.ForeignKeys = true;
        _connectionString = builder.ToString();
    }

    /// <summary>The file's full path.</summary>
    public string FullPath { get; }

    /// <summary>Opens a connection.</summary>
    public SqliteConnection Open()
    {
        RefuseNetwork();
        var connection = new SqliteConnection(_connectionString);
        try
        {
            connection.Open();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Where a node keeps its lock.</summary>
    public string LockPath(Guid nodeId) => $"{FullPath}-node-{nodeId:N}";

    /// <summary>Where a node counts its heartbeats.</summary>
    public string HeartbeatPath(Guid nodeId) => $"{LockPath(nodeId)}-heartbeat";

    /// <summary>Held by the node that removes what is no longer kept.</summary>
    public string RetentionPath => $"{FullPath}-retention";

    /// <summary>Whether a drive is one on which files can't be locked, and memory not be shared, between processes.</summary>
    internal static bool IsShared(DriveType type, string format)
        => type == DriveType.Network || SharedFormats.Contains(format, StringComparer.OrdinalIgnoreCase);

    private void RefuseNetwork()
    {
        if (FullPath.StartsWith(@"\\", StringComparison.Ordinal))
        {
            throw Refused("a network path");
        }

        try
        {
            var folder = Path.GetDirectoryName(FullPath)!;
            var drive = new DriveInfo(OperatingSystem.IsWindows() ? Path.GetPathRoot(FullPath)! : folder);
            if (IsShared(drive.DriveType, drive.DriveFormat))
            {
                throw Refused(drive.DriveFormat);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // The drive does not say what it is. Opening the file will say whether it can be used.
        }
    }

    private StoreConfigurationException Refused(string what)
        => new($"'{FullPath}' lies on a network file system ({what}), where SQLite's locks do not hold and files get damaged. Put it on a local disk; for several machines use TaskRecovery.PostgreSql.");
}
