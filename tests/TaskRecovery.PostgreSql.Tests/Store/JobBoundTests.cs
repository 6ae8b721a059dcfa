using Npgsql;
using NpgsqlTypes;
using TaskRecovery.PostgreSql.Tests.Conformance;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>How many rows the lists of jobs read, with 20,000 jobs.</summary>
public sealed class JobBoundTests : IAsyncLifetime
{
    private const int MaxExamined = 10_000;

    private readonly PostgreSqlFixture _fixture = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _fixture.CreateAsync(migrate: true, Cancellation);
        await using var connection = (NpgsqlConnection)await _fixture.OpenConnectionAsync(Cancellation);
        await using var command = new NpgsqlCommand(
            """
            insert into jobs (id, name, kind, entry_kind, args, queue)
            select gen_random_uuid(), 'job ' || lpad(n::text, 6, '0'), 'work', 'task:work', '{}', 'default'
                from generate_series(1, 20000) n;
            analyze jobs
            """,
            connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task A_page_of_jobs_reads_its_own_rows()
    {
        var ids = Enumerable.Range(0, 100).Select(static _ => Guid.NewGuid()).ToArray();
        long[] rows =
        [
            await RowsAsync(JobListSql.List, Arg.Text(null), Arg.Int8(101)),
            await RowsAsync(JobListSql.List, Arg.Text("job 015000"), Arg.Int8(101)),
            await RowsAsync(JobListSql.ListWithoutArgs, Arg.Text("job 015000"), Arg.Int8(101)),
            await RowsAsync(JobListSql.FindMany, Arg.Array(ids, NpgsqlDbType.Uuid)),
        ];

        Assert.All(rows, static count => Assert.InRange(count, 0, 200));
    }

    [Fact]
    public async Task A_search_reads_the_names_that_it_compares()
    {
        var after = Arg.Text("job 000100");
        long[] rows =
        [
            await RowsAsync(JobListSql.Search, Arg.Text(null), Arg.Int8(101), Arg.Text("missing"), Arg.Int8(MaxExamined)),
            await RowsAsync(JobListSql.Search, after, Arg.Int8(101), Arg.Text("missing"), Arg.Int8(MaxExamined)),
            await RowsAsync(JobListSql.Edge, Arg.Text(null), Arg.Int8(MaxExamined)),
        ];

        Assert.All(rows, static count => Assert.InRange(count, MaxExamined, MaxExamined + 100));
    }

    // As in the sessions of the library, which avoid sequential scans.
    private async Task<long> RowsAsync(string statement, params NpgsqlParameter[] args)
    {
        await using var connection = (NpgsqlConnection)await _fixture.OpenConnectionAsync(Cancellation);
        await using (var begin = new NpgsqlCommand("set enable_seqscan = off", connection))
        {
            await begin.ExecuteNonQueryAsync(Cancellation);
        }

        return await ScannedRows.CountAsync(
            connection, statement.Replace("{schema}", _fixture.QuotedSchema, StringComparison.Ordinal), args);
    }
}
