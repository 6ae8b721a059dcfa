using Npgsql;
using TaskRecovery.PostgreSql.Tests.Conformance;
using TaskRecovery.Storage;
using static TaskRecovery.PostgreSql.Tests.Store.LongHistory;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>How much a search for a text reads beside a long history.</summary>
public sealed class TextBoundTests(LongHistory history) : IClassFixture<LongHistory>
{
    private readonly PostgreSqlFixture _fixture = history.Fixture;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_search_for_a_text_reads_a_bounded_number_of_bytes_and_says_how_far_it_came()
    {
        await using (var connection = (NpgsqlConnection)await _fixture.OpenConnectionAsync(Cancellation))
        {
            await using var command = new NpgsqlCommand(
                """
                insert into kinds (name) values ('long');
                insert into entries (queue, kind, priority, max_attempts, args)
                select 1, 3, 5, 10, '"' || repeat('x', 100000) || '"' from generate_series(1, 500);
                insert into waiting (run_at, id, queue, kind, priority, found_by_id)
                select clock_timestamp(), e.id, 1, 3, 5, true from entries e where e.kind = 3;
                """,
                connection);
            await command.ExecuteNonQueryAsync(Cancellation);
        }

        var newest = History + Waiting + Running + 500;
        var all = await _fixture.Monitor.ListAsync(new EntryQuery { Text = "missing" }, Cancellation);
        var waiting = await _fixture.Monitor.ListAsync(
            new EntryQuery { Text = "missing", States = [EntryState.Waiting] }, Cancellation);
        var others = await _fixture.Monitor.ListAsync(new EntryQuery { Text = "missing", Kind = "work" }, Cancellation);

        Assert.Equal((0, newest - 334L), (all.Entries.Count, all.NextBefore!.Value));
        Assert.Equal((0, newest - 334L), (waiting.Entries.Count, waiting.NextBefore!.Value));
        Assert.InRange(others.NextBefore!.Value, 1, newest - 99_000);
    }
}
