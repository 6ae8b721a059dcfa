using Npgsql;
using TaskRecovery.Storage;
using TaskRecovery.TestSupport;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>A caller's transaction with an enqueue in it can be prepared: no notification is pending in it.</summary>
public sealed class PreparedTransactionTests
{
    [Fact]
    public async Task A_transaction_with_an_enqueue_in_it_can_be_prepared()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var server = await PostgresServer.StartAsync(new PostgresServerOptions
        {
            Controlled = true,
            Settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["max_prepared_transactions"] = "2" },
        });
        using var database = new PostgreSqlDatabase(
            new PostgreSqlConnectionSource(server.ConnectionString, null), new PostgreSqlOptions(), TimeSpan.FromSeconds(15))
            .WithPatience();
        var store = new PostgreSqlQueueStore(database, TimeProvider.System);
        await store.PrepareAsync(cancellation);
        await using var connection = new NpgsqlConnection(server.ConnectionString);
        await connection.OpenAsync(cancellation);
        await using (var transaction = await connection.BeginTransactionAsync(cancellation))
        {
            await store.EnqueueAsync([PostgreSqlStoreTests.Entry()], transaction, cancellation);
            await RunAsync("prepare transaction 'with an enqueue'");
        }

        var pending = await FindPreparedAsync();
        await RunAsync("commit prepared 'with an enqueue'");

        Assert.NotNull(await store.FindAsync(1, cancellation));
        Assert.Equal((FindingLevel.Warning, "rollback prepared 'with an enqueue'"), (pending.Level, pending.Repair));
        Assert.Equal(FindingLevel.Ok, (await FindPreparedAsync()).Level);

        async Task<StoreFinding> FindPreparedAsync()
        {
            var doctor = new PostgreSqlDoctor(database, TimeProvider.System);
            var found = await doctor.ExamineAsync(new DoctorLimits { PreparedTransaction = TimeSpan.Zero }, cancellation);
            return Assert.Single(found, finding => finding.Check == "prepared transactions");
        }

        async Task RunAsync(string statement)
        {
            await using var command = new NpgsqlCommand(statement, connection);
            await command.ExecuteNonQueryAsync(cancellation);
        }
    }
}
