using Npgsql;
using TaskRecovery.PostgreSql.Tests.Conformance;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>Writes of a run that began before an erasure and are committed later: nothing of them is left.</summary>
public sealed class LateWriteTests() : StoreTests(new PostgreSqlFixture())
{
    [Theory]
    [InlineData("steps")]
    [InlineData("checkpoints")]
    [InlineData("reports")]
    [InlineData("run_logs")]
    public async Task What_a_running_entry_is_storing_while_it_is_erased_is_erased_too(string table)
    {
        var held = await GivenClaimedAsync(GivenNode());

        await WriteAndEraseAsync(table, held);

        await AssertNothingIsLeftAsync(held.Id);
    }

    [Theory]
    [InlineData("steps")]
    [InlineData("checkpoints")]
    [InlineData("reports")]
    [InlineData("run_logs")]
    public async Task What_an_entry_is_storing_while_it_ends_and_is_erased_is_erased_too(string table)
    {
        var held = await GivenClaimedAsync(GivenNode());

        await WriteAndEraseAsync(table, held, beforeErasing: () => FinishAsync(held));

        await AssertNothingIsLeftAsync(held.Id);
    }

    [Theory]
    [InlineData("steps")]
    [InlineData("reports")]
    public async Task A_write_that_waits_for_an_erasure_stores_nothing(string table)
    {
        var held = await GivenClaimedAsync(GivenNode());
        await using var gate = await StatementGate.CloseAsync((PostgreSqlFixture)Fixture, "nodes", "delete", Cancellation);
        await using var connection = (NpgsqlConnection)await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await RunAsync(connection, "select id from claims for update");

        // The write has begun before the entry ends, and waits for the claim until the entry is erased.
        var writing = Task.Run(() => WriteAsync(table, held), Cancellation);
        await gate.UntilWaitingAsync(1);
        await RunAsync(
            connection,
            "insert into outcomes (entry, fence, node, duration_ms, kind, attempt, crashes, final) "
            + "select entries[1], id, node, 0, 0, 1, 0, true from claims");
        foreach (var statement in Eraser.Blanking(held.Id))
        {
            var text = statement.Text.Replace("{schema}", ((PostgreSqlFixture)Fixture).QuotedSchema, StringComparison.Ordinal);
            await RunAsync(connection, text, statement.Args);
        }

        await transaction.CommitAsync(Cancellation);
        await writing;

        await AssertNothingIsLeftAsync(held.Id);
    }

    private async Task WriteAndEraseAsync(string table, Held held, Func<Task>? beforeErasing = null)
    {
        await using var gate = await StatementGate.CloseAsync((PostgreSqlFixture)Fixture, table, "insert", Cancellation);
        var writing = Task.Run(() => WriteAsync(table, held), Cancellation);
        await gate.UntilWaitingAsync(1);
        if (beforeErasing is not null)
        {
            await beforeErasing();
        }

        var erasing = Task.Run(async () => await Store.EraseAsync(EraseTarget.Entry(held.Id), Cancellation), Cancellation);
        await gate.UntilWaitingAsync(2, orEnded: erasing);
        await gate.OpenAsync();
        await Task.WhenAll(writing, erasing);
    }

    private async Task WriteAsync(string table, Held held)
    {
        var key = new ProgressKey(held.Id, null);
        switch (table)
        {
            case "steps":
                await Store.SaveStepAsync(held.Node.Id, key, held.Fence, "late", Json("\"Ann\""), Cancellation);
                break;
            case "checkpoints":
                await Store.SaveCheckpointAsync(held.Node.Id, key, held.Fence, Json("\"Ann\""), Cancellation);
                break;
            case "reports":
                await RunInfo.SaveReportAsync(held.Node.Id, held.Id, held.Fence, 1, null, "Ann", Cancellation);
                break;
            default:
                await RunInfo.AppendLogAsync([new RunLogPart(held.Id, held.Fence, 0, [])], Cancellation);
                break;
        }
    }

    private static async Task RunAsync(NpgsqlConnection connection, string statement, params NpgsqlParameter[] args)
    {
        await using var command = new NpgsqlCommand(statement, connection);
        command.Parameters.AddRange(args);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private async Task AssertNothingIsLeftAsync(long entry)
    {
        await using var connection = (NpgsqlConnection)await Fixture.OpenConnectionAsync(Cancellation);
        await using var command = new NpgsqlCommand(
            """
            select concat((select count(*) from steps where entry = $1), ' ', (select count(*) from checkpoints where entry = $1), ' ',
                (select count(*) from reports where entry = $1), ' ', (select count(*) from run_logs where entry = $1))
            """,
            connection);
        command.Parameters.Add(new NpgsqlParameter { Value = entry });
        Assert.Equal("0 0 0 0", await command.ExecuteScalarAsync(Cancellation));
        Assert.Equal(EndReasons.Erased, (await FindAsync(entry)).Reason);
    }
}
