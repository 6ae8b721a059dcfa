using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Cli.Tests.Import;

/// <summary>A new database of one of the stores, into which the tests import.</summary>
public abstract class ImportTests : IAsyncLifetime
{
    private PostgresDatabase? _database;

    protected ImportTests(bool isPostgreSql) => IsPostgreSql = isPostgreSql;

    private protected CliFixture Cli { get; private set; } = null!;

    private bool IsPostgreSql { get; }

    public async ValueTask InitializeAsync()
    {
        if (IsPostgreSql)
        {
            _database = await MigratedDatabase.CreateAsync("import");
            Cli = new CliFixture(_database.ConnectionString);
            return;
        }

        Cli = await new CliFixture().MigratedAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Cli.Dispose();
        if (_database is not null)
        {
            await _database.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>The stored arguments of the entry that was imported with an id.</summary>
    private protected async Task<string> ArgsAsync(string importedFrom)
    {
        var entry = Assert.Single(await EntriesAsync(), entry => entry.Metadata?["importedFrom"] == importedFrom);
        return entry.Args;
    }

    private protected Task<IReadOnlyList<QueueEntry>> EntriesAsync() => Cli.UseAsync<IReadOnlyList<QueueEntry>>(async services =>
    {
        var (queue, entries) = (services.GetRequiredService<IJobQueue>(), new List<QueueEntry>());
        foreach (var listed in (await queue.ListAsync(cancellationToken: TestContext.Current.CancellationToken)).Entries)
        {
            // A list has no arguments.
            entries.Add((await queue.FindAsync(listed.Id, TestContext.Current.CancellationToken))!);
        }

        return entries;
    });

    private protected Task<Job?> JobAsync(string name) => Cli.UseAsync(
        services => services.GetRequiredService<IJobService>().GetByNameAsync(name, TestContext.Current.CancellationToken));

    /// <summary>Asserts the counts of an import that was run with <c>--json</c>.</summary>
    private protected static JsonElement AssertCounts(CliResult result, int created, int existing, int refused)
    {
        Assert.True(result.ExitCode == (refused > 0 ? 5 : 0), $"{result.ExitCode}: {result.Out}{result.Error}");
        var json = result.Json();
        Assert.Equal((created, existing, refused), (
            json.GetProperty("created").GetInt32(), json.GetProperty("existing").GetInt32(), json.GetProperty("refused").GetInt32()));
        return json;
    }

    /// <summary>The reason for one thing.</summary>
    private protected static string Reason(JsonElement result, string name) => result.GetProperty("items").EnumerateArray()
        .Single(item => item.GetProperty("name").GetString() == name).GetProperty("reason").GetString()!;
}
