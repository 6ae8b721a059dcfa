using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>Migrations of a file that several processes may open at once.</summary>
public sealed class MigratorTests : IDisposable
{
    private readonly TemporaryDatabase _files = new();

    [Fact]
    public async Task Processes_that_start_at_once_apply_each_migration_once()
    {
        var databases = Enumerable.Range(0, 4).Select(_ => _files.Open()).ToArray();

        var applied = await Task.WhenAll(databases.Select(database => Task.Run(() => new SqliteMigrator(database).MigrateAsync())));

        Assert.Equal(
            SqliteMigrator.Known.Select(migration => migration.Name), applied.SelectMany(names => names).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Without_MigrateOnStart_missing_tables_are_named_and_no_file_is_created()
    {
        var store = _files.Store(_files.Open(options => options.MigrateOnStart = false));

        var error = await Assert.ThrowsAsync<StoreConfigurationException>(() => store.PrepareAsync(CancellationToken.None));

        Assert.Contains("001_queue", error.Message, StringComparison.Ordinal);
        Assert.Contains("IStoreMigrator", error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_files.File));
    }

    [Fact]
    public async Task A_migration_that_was_changed_after_it_had_been_applied_is_refused()
    {
        await _files.OpenStoreAsync();
        var changed = SqliteMigrator.Known.Select(migration => migration with { Checksum = "other" }).ToArray();
        var migrator = new SqliteMigrator(_files.Open(), changed, new Version(0, 1, 0));

        var error = await Assert.ThrowsAsync<StoreConfigurationException>(() => migrator.MigrateAsync());

        Assert.Contains("001_queue", error.Message, StringComparison.Ordinal);
        Assert.Contains(_files.File, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_migration_that_fails_leaves_nothing_behind()
    {
        Migration[] migrations = [.. SqliteMigrator.Known, Migration.Parse(
            "999_broken", "-- oldest library: 0.1.0\ncreate table half (id integer);\ncreate nonsense;\n")];
        var database = _files.Open();

        await Assert.ThrowsAsync<StoreConfigurationException>(
            () => new SqliteMigrator(database, migrations, new Version(0, 1, 0)).MigrateAsync());

        var isThere = await database.ReadAsync(
            session => session.Query("select name from sqlite_master where name = 'half'"), CancellationToken.None);
        Assert.Null(isThere);
        Assert.Empty(await new SqliteMigrator(database).MigrateAsync());
    }

    public void Dispose() => _files.Dispose();
}
