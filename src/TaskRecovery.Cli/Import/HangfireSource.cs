using System.Globalization;
using System.Runtime.CompilerServices;
using Npgsql;
using TaskRecovery.Cli.Errors;

namespace TaskRecovery.Cli.Import;

/// <summary>The tables of Hangfire.PostgreSql 1.21.</summary>
internal sealed class HangfireSource(SourceDatabase database, string schema, string? name, ImportMap map) : IImportSource
{
    // The versions of the tables that are read. Before 20, calls are stored as text.
    private const int Oldest = 20;
    private const int Newest = 23;

    private const int PageSize = 1_000;

    // Seconds since 1970 of the first and the last time that there is.
    private const double FirstScore = -62_135_596_800;
    private const double LastScore = 253_402_300_799;
    private const string Whose = "Hangfire.PostgreSql 1.21";

    private static readonly string[] Tables =
    [
        "schema version", "server id lastheartbeat", "job id invocationdata arguments statename", "jobqueue id jobid queue",
        "set id key value score", "hash key field value",
    ];

    private readonly string _schema = SourceDatabase.Quote(schema);

    public string Name => name ?? $"hangfire:{database.Name}.{schema}";

    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        await database.RequireTablesAsync(schema, Tables, Whose, cancellationToken).ConfigureAwait(false);
        var versions = await database.QueryAsync(
            $"select max(version) from {_schema}.schema", static row => row.IsDBNull(0) ? 0 : row.GetInt32(0), cancellationToken)
            .ConfigureAwait(false);
        if (versions[0] is < Oldest or > Newest)
        {
            throw new CommandException(ExitCodes.NotUsable, $"The tables of Hangfire in {database.Where} have version {versions[0]}, and "
                + $"{Oldest} to {Newest} ({Whose}) are read: let that version update them first. Nothing was imported.");
        }
    }

    public async Task<string?> FindRunningAsync(CancellationToken cancellationToken)
    {
        // A server writes a heartbeat every 30 seconds, and removes its row when it stops.
        var servers = await database.QueryAsync(
            $"select id from {_schema}.server where lastheartbeat > now() - interval '90 seconds' order by id limit 1",
            static row => row.GetString(0), cancellationToken).ConfigureAwait(false);
        return servers is [var server, ..] ? $"the server '{server}' of Hangfire sent a heartbeat in the last 90 seconds" : null;
    }

    public async IAsyncEnumerable<ImportItem> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var queued = $"""
            select distinct on (q.jobid) q.jobid, q.jobid, q.queue, null::double precision,
                j.invocationdata::text, j.arguments::text, j.statename
            from {_schema}.jobqueue q left join {_schema}.job j on j.id = q.jobid
            where q.jobid > @p0 order by q.jobid, q.id limit @p1
            """;
        await foreach (var row in PagesAsync(queued, cancellationToken).ConfigureAwait(false))
        {
            // Of a server that died, a job is in the queue and in processing. Hangfire would run it again too.
            yield return ItemOf(row, "Enqueued", "Processing");
        }

        var scheduled = $"""
            select s.id, j.id, nullif(regexp_replace(s.value, ':?[0-9]+$', ''), ''), s.score,
                j.invocationdata::text, j.arguments::text, j.statename
            from {_schema}.set s left join {_schema}.job j on j.id = substring(s.value from '[0-9]+$')::bigint
            where s.key = 'schedule' and s.id > @p0 order by s.id limit @p1
            """;
        await foreach (var row in PagesAsync(scheduled, cancellationToken).ConfigureAwait(false))
        {
            yield return ItemOf(row, "Scheduled");
        }

        var awaiting = $"""
            select j.id, j.id, null::text, null::double precision, j.invocationdata::text, j.arguments::text, j.statename
            from {_schema}.job j where j.statename = 'Awaiting' and j.id > @p0 order by j.id limit @p1
            """;
        await foreach (var row in PagesAsync(awaiting, cancellationToken).ConfigureAwait(false))
        {
            yield return new ImportItem(Id(row), $"job {Id(row)}")
            {
                Refusal = "it continues another job, which has no equivalent here: enqueue it at the end of that job's worker",
            };
        }

        foreach (var job in await ReadRecurringAsync(cancellationToken).ConfigureAwait(false))
        {
            yield return job;
        }
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();

    private static string Id(Row row) => row.Job?.ToString(CultureInfo.InvariantCulture) ?? $"schedule-{row.Place}";

    private async IAsyncEnumerable<Row> PagesAsync(string sql, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (long? after = 0; after is { } place;)
        {
            var page = await database.QueryAsync(sql, Read, cancellationToken, place, PageSize).ConfigureAwait(false);
            foreach (var row in page)
            {
                yield return row;
            }

            after = page.Count == PageSize ? page[^1].Place : null;
        }
    }

    private static Row Read(NpgsqlDataReader row) => new(
        row.GetInt64(0),
        row.IsDBNull(1) ? null : row.GetInt64(1),
        Text(row, 2),
        row.IsDBNull(3) ? null : row.GetDouble(3),
        Text(row, 4), Text(row, 5), Text(row, 6));

    private static string? Text(NpgsqlDataReader row, int at) => row.IsDBNull(at) ? null : row.GetString(at);

    private ImportItem ItemOf(Row row, params string[] states)
    {
        var item = new ImportItem(Id(row), $"job {Id(row)}");
        if (row.Call is null)
        {
            return item with { Refusal = "its row in the table 'job' is gone, so that Hangfire would not run it either" };
        }

        if (row.State is not { } state || !states.Contains(state, StringComparer.Ordinal))
        {
            return item with { Refusal = $"its state is '{row.State}', so that Hangfire would not run it either" };
        }

        try
        {
            var call = HangfireCall.Read(row.Call, row.Arguments);
            var time = TimeOf(row.Score);
            var mapped = HangfireMap.Require(map, call);
            return item with { Entry = new PlannedEntry(mapped.Kind, call.ToArgs(mapped), row.Queue ?? call.Queue, time) };
        }
        catch (ImportRefusedException exception)
        {
            return item with { Refusal = exception.Message };
        }
    }

    private static DateTimeOffset? TimeOf(double? score) => score switch
    {
        null => null,
        >= FirstScore and <= LastScore => DateTimeOffset.FromUnixTimeSeconds((long)score.Value),
        _ => throw new ImportRefusedException(
            string.Create(CultureInfo.InvariantCulture, $"it is scheduled for {score} seconds after 1970, which is no time")),
    };

    private async Task<List<ImportItem>> ReadRecurringAsync(CancellationToken cancellationToken)
    {
        var fields = await database.QueryAsync(
            $"""
            select s.value, h.field, h.value from {_schema}.set s left join {_schema}.hash h on h.key = 'recurring-job:' || s.value
            where s.key = 'recurring-jobs' order by s.value, h.field
            """,
            static row => (Job: row.GetString(0), Field: Text(row, 1), Value: Text(row, 2)), cancellationToken).ConfigureAwait(false);
        return [.. fields.GroupBy(static one => one.Job, StringComparer.Ordinal).Select(job => HangfireRecurring.ItemOf(
            job.Key, map, job.Where(static one => one is { Field: not null, Value: not null }).ToDictionary(
                static one => one.Field!, static one => one.Value!, StringComparer.Ordinal)))];
    }

    private sealed record Row(long Place, long? Job, string? Queue, double? Score, string? Call, string? Arguments, string? State);
}
