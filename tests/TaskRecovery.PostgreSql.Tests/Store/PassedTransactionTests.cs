using Npgsql;
using TaskRecovery.Queue;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>A transaction that was passed to an earlier call. The driver uses its object again for the next transaction of the
/// session.</summary>
public sealed class PassedTransactionTests : PostgreSqlStoreTests
{
    [Fact]
    public async Task It_is_not_open_because_another_transaction_has_begun_in_its_session()
    {
        var own = new OwnTransaction(await OpenStoreAsync());
        var waited = new StoreUnavailableException("The key was not free.") { WaitedForKey = true };
        await using var pool = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(ConnectionString) { MaxPoolSize = 1 });
        NpgsqlTransaction passed;
        await using (var connection = await pool.OpenConnectionAsync(Cancellation))
        {
            passed = await connection.BeginTransactionAsync(Cancellation);
            own.Passed(passed);
            Assert.True(own.HasWaitedForItself(waited));
            await passed.CommitAsync(Cancellation);
            Assert.False(own.HasWaitedForItself(waited));
            await passed.DisposeAsync();
        }

        await using var others = await pool.OpenConnectionAsync(Cancellation);
        await using var transaction = await others.BeginTransactionAsync(Cancellation);

        Assert.Same(passed, transaction);
        Assert.False(own.HasWaitedForItself(waited));
    }
}
