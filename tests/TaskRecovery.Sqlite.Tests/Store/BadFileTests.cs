using Microsoft.Data.Sqlite;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>A file that can't hold the queue is refused with its name and the remedy, and left as it is.</summary>
public sealed class BadFileTests : IDisposable
{
    private readonly TemporaryDatabase _files = new();

    [Fact]
    public async Task A_missing_file_is_created()
    {
        Assert.False(File.Exists(_files.File));

        await _files.OpenStoreAsync();

        Assert.True(File.Exists(_files.File));
    }

    [Fact]
    public async Task A_file_that_is_not_a_database_is_refused_and_left_as_it_is()
    {
        var letter = string.Concat(Enumerable.Repeat("Dear reader, this is a letter.\n", 500));
        await File.WriteAllTextAsync(_files.File, letter);

        var error = await Assert.ThrowsAsync<StoreConfigurationException>(() => _files.OpenStoreAsync());

        Assert.Contains(_files.File, error.Message, StringComparison.Ordinal);
        Assert.Contains("not a SQLite database", error.Message, StringComparison.Ordinal);
        Assert.Equal(letter, await File.ReadAllTextAsync(_files.File));
    }

    [Fact]
    public async Task A_folder_that_is_missing_is_named()
    {
        using var database = new SqliteDatabase(
            $"Data Source={Path.Combine(_files.Folder, "missing", "tasks.db")}", new SqliteOptions(), TimeProvider.System);

        var error = await Assert.ThrowsAsync<StoreConfigurationException>(
            () => _files.Store(database).PrepareAsync(CancellationToken.None));

        Assert.Contains("missing", error.Message, StringComparison.Ordinal);
        Assert.Contains("folder exists", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_database_says_so_and_stores_nothing_until_there_is_room()
    {
        var database = _files.Open();
        var store = _files.Store(database);
        await store.PrepareAsync(CancellationToken.None);
        var large = TemporaryDatabase.Entry($"\"{new string('x', 500_000)}\"");
        await database.WriteAsync(session => session.Query("pragma max_page_count = 100"), CancellationToken.None);

        var error = await Assert.ThrowsAsync<StoreUnavailableException>(
            async () => await store.EnqueueAsync([large], null, CancellationToken.None));
        var whileFull = await store.CountAsync(null, CancellationToken.None);
        await database.WriteAsync(session => session.Query("pragma max_page_count = 100000"), CancellationToken.None);
        await store.EnqueueAsync([large], null, CancellationToken.None);

        Assert.Contains(_files.File, error.Message, StringComparison.Ordinal);
        Assert.Contains("full", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, whileFull.Due.Value);
        Assert.Equal(1, (await store.CountAsync(null, CancellationToken.None)).Due.Value);
    }

    [Fact]
    public async Task A_file_that_another_application_uses_keeps_what_is_in_it()
    {
        await using (var connection = _files.Connect())
        {
            await using var command = connection.CreateCommand();
            command.CommandText = "create table jobs (title text); insert into jobs values ('plumber')";
            await command.ExecuteNonQueryAsync();
        }

        await _files.OpenStoreAsync();

        await using var after = _files.Connect();
        await using var read = after.CreateCommand();
        read.CommandText = "select title from jobs";
        Assert.Equal("plumber", await read.ExecuteScalarAsync());
    }

    [Fact]
    public async Task A_file_whose_text_is_not_utf_8_is_refused()
    {
        await ExecuteAsync("pragma encoding = 'UTF-16'; create table jobs (title text)");

        var error = await Assert.ThrowsAsync<StoreConfigurationException>(() => _files.OpenStoreAsync());

        Assert.Contains("UTF-16", error.Message, StringComparison.Ordinal);
        Assert.Contains("pragma encoding", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("create trigger mine after insert on taskrecovery_entries begin delete "
        + "from taskrecovery_waiting; end", "trigger 'mine' on 'taskrecovery_entries'")]
    [InlineData("create view taskrecovery_extra as select 1", "view 'taskrecovery_extra'")]
    public async Task A_file_in_which_others_code_would_run_with_the_queues_writes_is_refused(string sql, string what)
    {
        await _files.OpenStoreAsync();
        await ExecuteAsync(sql);

        var error = await Assert.ThrowsAsync<StoreConfigurationException>(() => _files.OpenStoreAsync());

        Assert.Contains(what, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_trigger_on_a_table_of_the_application_is_its_own_affair()
    {
        await ExecuteAsync(
            "create table jobs (title text); create table done (title text); create trigger mine after insert on jobs begin insert into "
            + "done values (new.title); end");

        await _files.OpenStoreAsync();
    }

    [Theory]
    [InlineData(3_050_004, true)]
    [InlineData(3_051_002, true)]
    [InlineData(3_051_003, false)]
    [InlineData(3_053_004, false)]
    [InlineData(3_050_007, false)]
    [InlineData(3_044_006, false)]
    [InlineData(3_045_000, true)]
    public void A_release_that_can_damage_a_shared_file_is_known(int version, bool isBad)
        => Assert.Equal(isBad, SqliteVersions.HasWalResetBug(version));

    [Fact]
    public void The_release_that_comes_with_the_package_can_share_a_file()
        => Assert.False(SqliteVersions.HasWalResetBug(SQLitePCL.raw.sqlite3_libversion_number()));

    [Fact]
    public async Task A_release_that_can_damage_a_shared_file_is_refused_before_it_opens_the_file()
    {
        using var old = new SqliteDatabase(_files.ConnectionString, new SqliteOptions(), TimeProvider.System) { SqliteVersion = 3_050_004 };

        var start = await Assert.ThrowsAsync<StoreConfigurationException>(() => _files.Store(old).PrepareAsync(CancellationToken.None));
        var migration = await Assert.ThrowsAsync<StoreConfigurationException>(() => new SqliteMigrator(old).MigrateAsync());

        Assert.All([start, migration], error => Assert.Contains("3.50.4", error.Message, StringComparison.Ordinal));
        Assert.False(File.Exists(_files.File));
    }

    [Fact]
    public async Task A_file_that_is_gone_while_it_is_used_is_noticed_by_the_next_heartbeat()
    {
        var store = await _files.OpenStoreAsync();
        using var node = store.OpenNodeSession();
        var identity = TemporaryDatabase.Identity("worker");
        node.Register(identity);
        File.Move(_files.File, _files.File + ".away");

        var error = Assert.Throws<StoreUnavailableException>(() => node.SendHeartbeat(identity.Id, true));

        File.Move(_files.File + ".away", _files.File);
        Assert.Contains(_files.File, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SQLitePCL.raw.SQLITE_READONLY, "read-only")]
    [InlineData(SQLitePCL.raw.SQLITE_PERM, "right to read and write")]
    [InlineData(SQLitePCL.raw.SQLITE_CORRUPT, "restore a backup")]
    [InlineData(SQLitePCL.raw.SQLITE_ERROR, "MigrateOnStart")]
    public void An_error_that_a_person_must_act_on_names_the_file_and_the_remedy(int code, string remedy)
    {
        var error = Assert.IsType<StoreConfigurationException>(SqliteErrors.Translate(new SqliteException("x", code), "/data/tasks.db"));

        Assert.Contains("/data/tasks.db", error.Message, StringComparison.Ordinal);
        Assert.Contains(remedy, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SQLitePCL.raw.SQLITE_BUSY, "short")]
    [InlineData(SQLitePCL.raw.SQLITE_LOCKED, "short")]
    [InlineData(SQLitePCL.raw.SQLITE_IOERR, "could not be used")]
    [InlineData(SQLitePCL.raw.SQLITE_NOMEM, "could not be used")]
    [InlineData(SQLitePCL.raw.SQLITE_FULL, "Make room")]
    [InlineData(SQLitePCL.raw.SQLITE_CANTOPEN, "files the process has open")]
    public void An_error_that_may_pass_is_unavailability(int code, string text)
    {
        var error = Assert.IsType<StoreUnavailableException>(SqliteErrors.Translate(new SqliteException("x", code), "/data/tasks.db"));

        Assert.Contains("/data/tasks.db", error.Message, StringComparison.Ordinal);
        Assert.Contains(text, error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _files.Dispose();

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = _files.Connect();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }
}
