using Microsoft.Data.Sqlite;
using Npgsql;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Cli.Tests.Commands;

/// <summary>The script of the migrations creates the tables that <c>migrate</c> creates.</summary>
public sealed class MigrateScriptTests : IDisposable
{
    private const string Schema = "o'brien \"x\"";

    // Everything that migrations create, by name and with its definition.
    private const string PostgreSqlObjects = """
        with schema as (select oid from pg_namespace where nspname = $1)
        select 'table ' || c.relname || ' ' || c.relkind::text || ' ' || coalesce(array_to_string(c.reloptions, ','), '')
            from pg_class c join schema s on c.relnamespace = s.oid
        union all
        select 'column ' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid,
            a.atttypmod) || ' ' || a.attnum || a.attnotnull || a.attstorage::text
                || a.attidentity::text || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
            from pg_attribute a join pg_class c on c.oid = a.attrelid join schema s on c.relnamespace = s.oid
            left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum where not a.attisdropped
        union all
        select 'index ' || indexdef from pg_indexes where schemaname = $1
        union all
        select 'constraint ' || o.conname || ' ' || pg_get_constraintdef(o.oid) || o.convalidated from pg_constraint o
            join schema s on o.connamespace = s.oid
        union all
        select 'function ' || pg_get_functiondef(p.oid) || coalesce(p.proacl::text, '') from pg_proc p
            join schema s on p.pronamespace = s.oid
        union all
        select 'row ' || to_jsonb(r)::text from (select m.version, m.name, m.checksum, m.oldest_library
            from {schema}.taskrecovery_migrations m) r
        order by 1
        """;

    private const string SqliteObjects = """
        select type || ' ' || name || ' ' || coalesce(sql, '') from sqlite_schema
        union all
        select 'row ' || version || name || checksum || oldest_library || (applied_at between 1000000000000000 and 9000000000000000)
            from taskrecovery_migrations
        order by 1
        """;

    private readonly CliFixture _cli = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("taskrecovery-script-").FullName;

    private string Script => Path.Combine(_folder, "migrate.sql");

    public void Dispose()
    {
        _cli.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Psql_creates_the_tables_that_migrate_creates()
    {
        var server = await PostgresServer.SharedAsync();
        await using var byTool = await server.CreateDatabaseAsync("cli");
        await using var byScript = await server.CreateDatabaseAsync("cli");
        await using var inParts = await server.CreateDatabaseAsync("cli");
        using var cli = new CliFixture(byTool.ConnectionString);
        await cli.RunAsync("migrate", "--yes", "--schema", Schema);

        var written = await cli.RunAsync("migrate", "--script", "--schema", Schema, "-o", Script);
        var whole = await PsqlAsync(byScript);
        var again = await PsqlAsync(byScript);
        var schema = $"\"{Schema.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        var (first, last) = SplitLast(await ReadScriptAsync(), $"\ninsert into {schema}.taskrecovery_migrations ");
        await WriteScriptAsync(first);
        var before = await PsqlAsync(inParts);
        await WriteScriptAsync((await cli.RunAsync("migrate", "--script", "--schema", Schema, "--from", last)).Out);
        var after = await PsqlAsync(inParts);

        Assert.Equal((0, "", $"Written to '{Script}'.\n"), (written.ExitCode, written.Out, written.Error));
        Assert.Equal((0, 3, 0, 0), (whole.ExitCode, again.ExitCode, before.ExitCode, after.ExitCode));
        var expected = await ObjectsAsync(byTool);
        Assert.Contains(expected, line => line.StartsWith("index ", StringComparison.Ordinal));
        Assert.Equal(expected, await ObjectsAsync(byScript));
        Assert.Equal(expected, await ObjectsAsync(inParts));
    }

    [Fact]
    public async Task A_script_that_follows_a_missing_migration_changes_nothing()
    {
        await using var database = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync("cli");
        using var cli = new CliFixture(database.ConnectionString);
        await WriteScriptAsync((await cli.RunAsync("migrate", "--script")).Out);
        await PsqlAsync(database);

        await WriteScriptAsync((await cli.RunAsync("migrate", "--script", "--from", "17")).Out);
        await ExecuteAsync(database, "delete from taskrecovery.taskrecovery_migrations where version >= 16");
        var refused = await PsqlAsync(database);

        Assert.Equal(3, refused.ExitCode);
        Assert.Contains(
            "The script begins with migration 17, and the one before is not applied.", refused.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sqlite_creates_the_tables_that_migrate_creates()
    {
        await _cli.MigratedAsync();
        var script = (await _cli.RunAsync("migrate", "--script")).Out;
        var (first, last) = SplitLast(script, "\ninsert into ");

        var expected = ObjectsOf(_cli.File);
        Assert.Equal(expected, ObjectsOf(Execute("whole.db", script)));
        Execute("parts.db", $"{first}\ncommit;");
        Assert.Equal(expected, ObjectsOf(Execute("parts.db", (await _cli.RunAsync("migrate", "--script", "--from", last)).Out)));

        var again = Assert.Throws<SqliteException>(() => Execute("whole.db", script));
        Assert.Contains("already exists", again.Message, StringComparison.Ordinal);
        Execute("early.db", $"{SplitLast(first, "\ninsert into ").First}\ncommit;");
        var early = (await _cli.RunAsync("migrate", "--script", "--from", last)).Out;
        Assert.Contains("NOT NULL", Assert.Throws<SqliteException>(() => Execute("early.db", early)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--from is '99'. There is no migration 99: use 1 to ", "--script", "--from", "99")]
    [InlineData("--check and --script exclude each other", "--script", "--check")]
    [InlineData("--from and --output belong to --script", "--yes", "--from", "2")]
    [InlineData("omit --json", "--script", "--json")]
    [InlineData("--output is '/nowhere/x.sql', which can't be written", "--script", "-o", "/nowhere/x.sql")]
    public async Task Bad_input_is_explained(string message, params string[] args)
        => (await _cli.RunAsync(["migrate", .. args])).AssertFailed(2, message);

    [Fact]
    public async Task A_dry_run_lists_what_would_be_applied()
    {
        var planned = await _cli.RunAsync("migrate", "--dry-run");

        Assert.Equal((0, "missing 001_queue"), (planned.ExitCode, planned.Lines[0]));
        Assert.False(File.Exists(_cli.File));
    }

    // The text before the last migration, and the number of that one.
    private static (string First, string Version) SplitLast(string script, string start)
    {
        var at = script.LastIndexOf(start, StringComparison.Ordinal);
        return (script[..at], script[(script.IndexOf("values (", at, StringComparison.Ordinal) + 8)..].Split(',')[0]);
    }

    private Task<string> ReadScriptAsync() => File.ReadAllTextAsync(Script, TestContext.Current.CancellationToken);

    private Task WriteScriptAsync(string text) => File.WriteAllTextAsync(Script, text, TestContext.Current.CancellationToken);

    private async Task<(int ExitCode, string Output)> PsqlAsync(PostgresDatabase database)
    {
        var to = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PGHOST"] = to.Host!,
            ["PGPORT"] = $"{to.Port}",
            ["PGUSER"] = to.Username!,
            ["PGPASSWORD"] = to.Password ?? "",
            ["PGDATABASE"] = to.Database!,
        };
        int code;
        var psql = ChildProcess.Start(
            PostgresServer.Program("psql"), ["-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-f", Script], environment);
        await using (psql)
        {
            code = await psql.WaitForExitAsync();
        }

        // Its output is complete now.
        return (code, psql.Output);
    }

    private static async Task<List<string>> ObjectsAsync(PostgresDatabase database)
    {
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var command = source.CreateCommand(PostgreSqlObjects.Replace(
            "{schema}", $"\"{Schema.Replace("\"", "\"\"", StringComparison.Ordinal)}\"", StringComparison.Ordinal));
        command.Parameters.AddWithValue(Schema);
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var lines = new List<string>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
        {
            lines.Add(reader.GetString(0));
        }

        return lines;
    }

    private static async Task ExecuteAsync(PostgresDatabase database, string statement)
    {
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var command = source.CreateCommand(statement);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    private string Execute(string name, string script)
    {
        var file = Path.Combine(_folder, name);
        using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = script;
        command.ExecuteNonQuery();
        return file;
    }

    private static List<string> ObjectsOf(string file)
    {
        using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = SqliteObjects;
        using var reader = command.ExecuteReader();
        var lines = new List<string>();
        while (reader.Read())
        {
            lines.Add(reader.GetString(0));
        }

        return lines;
    }
}
