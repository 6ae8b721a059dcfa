using Npgsql;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>What an error of the server means: about a value, or about the moment.</summary>
public sealed class ErrorTests : PostgreSqlStoreTests
{
    [Theory]
    [InlineData("22P05")] // a character that the database's encoding lacks
    [InlineData("22021")]
    [InlineData("23514")]
    [InlineData("54000")]
    public void Only_data_constraints_and_limits_are_about_a_value(string state)
    {
        var error = new PostgresException("no", "ERROR", "ERROR", state);

        Assert.True(PostgreSqlErrors.IsContent(error));
        Assert.Null(PostgreSqlErrors.Translate(error, "taskrecovery"));
    }

    [Theory]
    [InlineData("57P04")]
    [InlineData("25P04")]
    [InlineData("26000")]
    [InlineData("0A000")]
    [InlineData("XX000")]
    [InlineData("72000")]
    [InlineData("40001")]
    [InlineData("08P01")]
    [InlineData("53300")]
    [InlineData("P0001")]
    public void Any_other_error_may_pass(string state)
    {
        var error = new PostgresException("no", "ERROR", "ERROR", state);

        Assert.False(PostgreSqlErrors.IsContent(error));
        Assert.IsType<StoreUnavailableException>(PostgreSqlErrors.Translate(error, "taskrecovery"));
    }

    [Theory]
    [InlineData("GetNewTransactionId")]
    [InlineData("GetNewMultiXactId")]
    [InlineData("MultiXactIdCreateFromMembers")]
    public void A_server_that_has_no_transaction_ids_left_refuses_no_value(string routine)
    {
        var error = new PostgresException("no", "ERROR", "ERROR", "54000", routine: routine);

        Assert.False(PostgreSqlErrors.IsContent(error));
        Assert.IsType<StoreUnavailableException>(PostgreSqlErrors.Translate(error, "taskrecovery"));
    }

    [Fact]
    public async Task A_value_that_the_server_refuses_is_told_from_a_server_that_is_not_there()
    {
        var store = await OpenStoreAsync();
        var identity = Identity();
        using var node = store.OpenNodeSession();
        node.Register(identity);
        await store.EnqueueAsync([Entry()], null, Cancellation);
        var batch = await store.CreateClaimer(identity.Id, "default", ["test"]).ClaimAsync(10, new SuspectAllowance(3, 0, 0), Cancellation);
        var refused = new RunOutcome { EntryId = batch.Entries[0].Id, Fence = batch.Fence, Kind = OutcomeKind.Completed, Reason = "\0" };

        var exception = await Assert.ThrowsAsync<ContentRefusedException>(
            async () => await store.FinishAsync(identity.Id, [refused], Cancellation));

        Assert.Contains("22021", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_of_another_encoding_is_refused_with_the_remedy()
    {
        await ExecuteAsync("create database latin1 encoding 'LATIN1' locale 'C' template template0");
        try
        {
            var latin1 = new NpgsqlConnectionStringBuilder(ConnectionString) { Database = "latin1" }.ConnectionString;

            var exception = await Assert.ThrowsAsync<StoreConfigurationException>(() => OpenStoreAsync(Open(connectionString: latin1)));

            Assert.Contains("LATIN1", exception.Message, StringComparison.Ordinal);
            Assert.Contains("encoding 'UTF8'", exception.Message, StringComparison.Ordinal);
        }
        finally
        {
            await ExecuteAsync("drop database latin1 with (force)");
        }
    }
}
