using TaskRecovery.Sqlite;

namespace TaskRecovery.Testing.Hosts;

/// <summary>An empty database with all tables. Creating the tables takes longer than a test, so it is done once per process, and each host
/// gets a copy.</summary>
internal static class TemplateDatabase
{
    private static readonly Lazy<byte[]> Content = new(Create);

    public static void CopyTo(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var file = new FileStream(path, options);
        file.Write(Content.Value);
    }

    private static byte[] Create()
    {
        using var folder = new TestFolder();
        using (var database = new SqliteDatabase(
            $"Data Source={folder.DatabasePath}", new SqliteOptions { Synchronous = SqliteSynchronous.Normal }, TimeProvider.System))
        {
            new SqliteMigrator(database).MigrateAsync().GetAwaiter().GetResult();
        }

        return File.ReadAllBytes(folder.DatabasePath);
    }
}
