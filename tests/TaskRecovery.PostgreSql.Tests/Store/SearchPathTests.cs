using Npgsql;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>Functions that another role has put on the path are never called with the library's rights.</summary>
public sealed class SearchPathTests : PostgreSqlStoreTests
{
    private protected override bool StartMigrated => false;

    [Theory]
    [InlineData(false, true)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    [InlineData(true, false)]
    public async Task Functions_on_the_path_are_not_called(bool isForeign, bool useSessionLocks)
    {
        await GivenTrapsAsync();
        await using var shared = NpgsqlDataSource.Create(ConnectionString);
        var options = new PostgreSqlOptions { UseSessionLocks = useSessionLocks };
        var database = Keep(new PostgreSqlDatabase(isForeign
            ? new PostgreSqlConnectionSource(null, shared)
            : new PostgreSqlConnectionSource(ConnectionString, null), options, Lease)).WithPatience();
        var store = await OpenStoreAsync(database);
        var jobs = new PostgreSqlJobStore(database, store);
        var identity = Identity();
        using (var node = store.OpenNodeSession())
        {
            node.Register(identity);
            node.SendHeartbeat(identity.Id, useSessionLocks);
            await jobs.UpsertAsync(new NewJob(new JobDefinition(
                "report", Schedule.Every(TimeSpan.FromHours(1))), "report", "task:report", "{}"u8.ToArray(), 10), Cancellation);
            await store.EnqueueAsync([Entry(), Entry(uniqueKey: "key"), Entry(after: TimeSpan.FromDays(1))], null, Cancellation);
            var claimer = store.CreateClaimer(identity.Id, "default", ["test", "task:report"]);
            await claimer.EnqueueAsync([Entry()], Cancellation);
            var batch = await claimer.ClaimAsync(10, new SuspectAllowance(3, 1000, 1), Cancellation);
            Assert.NotEmpty(batch.Entries);
            await store.SaveStepAsync(
                identity.Id, new ProgressKey(batch.Entries[0].Id, null), batch.Fence, "step", "1"u8.ToArray(), Cancellation);
            await jobs.RecoverJobsAsync(Cancellation);
            node.Leave(identity.Id);
        }

        Assert.NotEqual(0, (await store.SweepAsync(3, Cancellation)).Recovered);
        Assert.Empty(await store.CheckInvariantsAsync(Cancellation));
        Assert.Equal("\"$user\", public", await ScalarAsync<string>("select current_setting('search_path')"));
    }

    [Fact]
    public async Task A_session_goes_back_to_the_applications_pool_with_its_own_path()
    {
        await using var shared = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(ConnectionString) { MaxPoolSize = 3, NoResetOnClose = true }.ConnectionString);
        var store = await OpenStoreAsync(
            Keep(new PostgreSqlDatabase(new PostgreSqlConnectionSource(null, shared), new PostgreSqlOptions(), Lease)).WithPatience());

        store.OpenNodeSession().Dispose();

        await using var first = await shared.OpenConnectionAsync(Cancellation);
        await using var second = await shared.OpenConnectionAsync(Cancellation);
        await using var third = await shared.OpenConnectionAsync(Cancellation);
        foreach (var connection in (NpgsqlConnection[])[first, second, third])
        {
            await using var command = new NpgsqlCommand("show search_path", connection);
            Assert.Equal("\"$user\", public", await command.ExecuteScalarAsync(Cancellation));
        }
    }

    [Fact]
    public async Task A_schema_of_somebody_else_is_refused()
    {
        var (mine, other) = ($"mine_{Guid.NewGuid():n}", $"other_{Guid.NewGuid():n}");
        await ExecuteAsync(
            $"create role {mine} login password 'secret'; create role {other}; create schema taskrecovery authorization {other}; "
            + $"grant all on schema taskrecovery to {mine}");
        try
        {
            var exception = await Assert.ThrowsAsync<StoreConfigurationException>(() => OpenStoreAsync(Open(connectionString: As(mine))));

            Assert.Contains(other, exception.Message, StringComparison.Ordinal);
            await ExecuteAsync($"alter schema taskrecovery owner to {mine}");
            await OpenStoreAsync(Open(connectionString: As(mine)));
        }
        finally
        {
            await ExecuteAsync($"drop owned by {mine}; drop owned by {other}; drop role {mine}; drop role {other}");
        }
    }

    private string As(string role)
        => new NpgsqlConnectionStringBuilder(ConnectionString) { Username = role, Password = "secret" }.ConnectionString;

    // Where the server's own function takes any type, one that takes exactly this type is preferred, wherever on the path it is.
    private async Task GivenTrapsAsync()
    {
        foreach (var (function, returns) in new[]
        {
            ("unnest(bigint[])", "setof bigint"), ("unnest(smallint[])", "setof smallint"),
            ("unnest(integer[])", "setof integer"), ("unnest(text[])", "setof text"),
            ("cardinality(bigint[])", "integer"), ("array_remove(bigint[], bigint)", "bigint[]"),
        })
        {
            await ExecuteAsync(
                $"create function public.{function} returns {returns} language plpgsql as 'begin raise exception ''called with rights that "
                + "are not its own''; end'");
        }
    }
}
