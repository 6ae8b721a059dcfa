using Microsoft.Data.Sqlite;
using TaskRecovery.Cli.Tests.Reference;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Cli.Tests.Commands;

/// <summary>The copy of a SQLite file.</summary>
public sealed class BackupTests : IDisposable
{
    private readonly CliFixture _cli = new();

    private string Copy => Path.Combine(_cli.Folder, "copy.db");

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task A_copy_is_made_while_another_process_writes_and_has_what_was_stored()
    {
        await _cli.MigratedAsync();
        await _cli.EnqueueAsync(3);
        CliResult result;
        await using (await Database.LockAsync(_cli.ConnectionString))
        {
            result = await _cli.RunAsync("backup", Copy, "--json");
        }

        Assert.Equal(0, result.ExitCode);
        Assert.Empty(SchemaCheck.Of(CliSchema.Document, CliSchema.Document["properties"]!["backup"]!, result.Json()));
        Assert.Equal((Copy, new FileInfo(Copy).Length), (
            result.Json().GetProperty("file").GetString(), result.Json().GetProperty("bytes").GetInt64()));
        Assert.Equal("ok 3", Query("select (select * from pragma_integrity_check) || ' ' || count(*) from taskrecovery_entries"));
        Assert.Equal([Copy], Directory.GetFiles(_cli.Folder, "copy*"));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Copy));
        }
    }

    [Fact]
    public async Task A_file_that_exists_is_kept()
    {
        await _cli.MigratedAsync();
        await File.WriteAllTextAsync(Copy, "mine", TestContext.Current.CancellationToken);

        (await _cli.RunAsync("backup", Copy)).AssertFailed(2, "exists already");

        Assert.Equal("mine", await File.ReadAllTextAsync(Copy, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_folder_that_does_not_exist_is_named()
    {
        await _cli.MigratedAsync();

        (await _cli.RunAsync("backup", Path.Combine(_cli.Folder, "none", "copy.db"))).AssertFailed(2, "can't be created");
    }

    [Fact]
    public async Task A_file_that_is_not_there_or_no_database_is_named()
    {
        (await _cli.RunAsync("backup", Copy)).AssertFailed(3, "does not exist");
        await File.WriteAllTextAsync(_cli.File, new string('x', 5000), TestContext.Current.CancellationToken);

        (await _cli.RunAsync("backup", Copy)).AssertFailed(4, "can't be copied");

        Assert.Empty(Directory.GetFiles(_cli.Folder, "copy*"));
    }

    [Fact]
    public async Task PostgreSQL_has_tools_of_its_own()
    {
        using var cli = new CliFixture("Host=localhost;Database=shop");

        (await cli.RunAsync("backup", Copy)).AssertFailed(2, "pg_dump");
    }

    private string? Query(string statement)
    {
        using var connection = new SqliteConnection($"Data Source={Copy};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = statement;
        return command.ExecuteScalar() as string;
    }
}
