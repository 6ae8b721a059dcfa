using TaskRecovery.TestSupport;

namespace TaskRecovery.Testing.Tests.OwnSamples;

/// <summary>The web sample with <c>--postgres</c>.</summary>
public sealed class WebSamplePostgreSqlTests : WebSampleProcess
{
    private PostgresDatabase? _database;

    public override async ValueTask InitializeAsync()
    {
        _database = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync("shop");
        Start(["--postgres"], new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["TASKRECOVERY_SAMPLE_POSTGRES"] = _database.ConnectionString,
        });
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await (_database?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    [Fact]
    public async Task On_postgresql_the_shop_works_and_has_its_entries_again_after_it_was_killed()
    {
        await ContainsAsync("jobs/entries?state=completed", "mail.send");
        await ContainsAsync("jobs/entries?state=cancelled", "mail.send");
        await ContainsAsync("jobs/queues", "the template is not approved yet");

        await Assert.ThrowsAsync<HttpRequestException>(() => PostAsync("crash", $"http://localhost:{Port}"));
        await Sample.WaitForLineAsync("The shop (process");

        await ContainsAsync("", "A small shop");
        await ContainsAsync("jobs/entries?state=cancelled", "mail.send");
        await ContainsAsync("jobs/queues", "the template is not approved yet");
        Assert.False(File.Exists(Path.Combine(Data, "shop.db")));
    }
}
