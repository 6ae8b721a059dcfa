using Npgsql;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Examines the server and the tables. Each check is a read-only transaction of its own with a pinned search path.</summary>
internal sealed class PostgreSqlDoctor(PostgreSqlDatabase database, TimeProvider time, int oldestServer = PostgreSqlDoctor.OldestServer)
    : IStoreDoctor
{
    private const int OldestServer = 150_000;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly MonitorReads _reads = new(database, database.OpenMonitorAsync);

    public async ValueTask<IReadOnlyList<StoreFinding>> ExamineAsync(DoctorLimits limits, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(limits);
        var schema = database.SchemaName;
        List<StoreFinding> findings =
        [
            .. await CheckAsync("version", DoctorSql.Version, [Arg.Int4(oldestServer)]).ConfigureAwait(false),
            .. await CheckAsync("encoding", DoctorSql.Encoding, []).ConfigureAwait(false),
            .. await TryAsync("indexes", FindIndexesAsync, cancellationToken).ConfigureAwait(false),
            .. await CheckAsync("triggers", DoctorSql.Triggers, [Arg.Text(schema)]).ConfigureAwait(false),
            .. await CheckAsync("unfinished tasks", DoctorSql.Unlisted, [Arg.Text(schema)]).ConfigureAwait(false),
            .. await CheckAsync("rights", DoctorSql.Rights, [Arg.Text(schema)]).ConfigureAwait(false),
            .. await TryAsync("owner", FindOwnerAsync, cancellationToken).ConfigureAwait(false),
            .. await CheckAsync("isolation", DoctorSql.Isolation, []).ConfigureAwait(false),
            .. await TryAsync("pooler", FindPoolerAsync, cancellationToken).ConfigureAwait(false),
            .. await CheckAsync("autovacuum", DoctorSql.Autovacuum, [Arg.Text(schema)]).ConfigureAwait(false),
            .. await CheckAsync("dead rows", DoctorSql.DeadRows, [Arg.Text(schema), Arg.Int8(limits.DeadRows)]).ConfigureAwait(false),
            .. await CheckAsync("old snapshots", DoctorSql.Snapshots, [Arg.Micros(limits.Snapshot)]).ConfigureAwait(false),
            .. await CheckAsync("replication slots", DoctorSql.Slots, [Arg.Int8(limits.SlotBytes)]).ConfigureAwait(false),
            .. await CheckAsync(
                "prepared transactions", DoctorSql.Prepared, [Arg.Micros(limits.PreparedTransaction)]).ConfigureAwait(false),
            .. await CheckAsync("durability", DoctorSql.Durability, [Arg.Text(schema)]).ConfigureAwait(false),
            .. await CheckAsync("connections", DoctorSql.Connections, [Arg.Int8(limits.FreeConnections)]).ConfigureAwait(false),
            .. await TryAsync("clock", token => CompareClocksAsync(limits, token), cancellationToken).ConfigureAwait(false),
            .. await CheckAsync("held entries", DoctorSql.Held, [Arg.Micros(limits.Claim)]).ConfigureAwait(false),
            .. await CheckAsync("retention", DoctorSql.Retention, [Arg.Micros(limits.Retention)]).ConfigureAwait(false),
            .. await CheckAsync("sizes", DoctorSql.Sizes, [Arg.Text(schema), Arg.Int8(limits.BloatBytes)]).ConfigureAwait(false),
        ];
        return findings;

        ValueTask<List<StoreFinding>> CheckAsync(string check, string statement, NpgsqlParameter[] args)
            => TryAsync(check, token => ReadAsync(check, statement, args, token), cancellationToken);
    }

    // A check that fails is a finding. Without a connection, all of them would fail.
    private static async ValueTask<List<StoreFinding>> TryAsync(
        string check, Func<CancellationToken, ValueTask<List<StoreFinding>>> examine, CancellationToken cancellationToken)
    {
        try
        {
            var found = await examine(cancellationToken).ConfigureAwait(false);
            return found.Count > 0 ? found : [new StoreFinding(check, FindingLevel.Ok, "Nothing found.")];
        }
        catch (Exception exception) when (IsOfOneCheck(exception))
        {
            return [new StoreFinding(check, FindingLevel.Warning, "This could not be checked.", exception.Message)];
        }
    }

    // The library calls a store unavailable after any error that may pass, also if the server has answered with it.
    private static bool IsOfOneCheck(Exception exception)
        => exception is StoreConfigurationException or TimeoutException or PostgresException
            || (exception is StoreUnavailableException { InnerException: PostgresException error }
                && StatementErrors.IsOfOneStatement(error));

    private ValueTask<List<StoreFinding>> ReadAsync(
        string check, string statement, NpgsqlParameter[] args, CancellationToken cancellationToken)
        => ReadAsync(
            statement,
            args,
            reader => new StoreFinding(check, (FindingLevel)reader.GetInt32(0), reader.GetString(1), reader.StringOrNull(2)),
            cancellationToken);

    private ValueTask<List<T>> ReadAsync<T>(
        string statement, NpgsqlParameter[] args, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
        => _reads.ReadAsync(
            Limit,
            (connection, token) => database.ReadAsync(
                connection,
                statement,
                args,
                async (reader, stop) =>
                {
                    var rows = new List<T>();
                    while (await reader.ReadAsync(stop).ConfigureAwait(false))
                    {
                        rows.Add(read(reader));
                    }

                    return rows;
                },
                token),
            cancellationToken);

    private async ValueTask<List<StoreFinding>> FindIndexesAsync(CancellationToken cancellationToken)
    {
        var indexes = await ReadAsync(
            DoctorSql.Indexes,
            [Arg.Text(database.SchemaName)],
            static reader => (Name: reader.GetString(0), IsValid: reader.GetBoolean(1), Repair: reader.GetString(2)),
            cancellationToken).ConfigureAwait(false);
        var names = indexes.Select(static index => index.Name).ToHashSet(StringComparer.Ordinal);
        return
        [
            .. indexes.Where(static index => !index.IsValid).Select(static index => new StoreFinding(
                "indexes", FindingLevel.Warning, $"Index {index.Name} is invalid, so that no statement uses it.", index.Repair)),
            .. MigrationIndexes.Of(PostgreSqlMigrator.Known).Where(index => !names.Contains(index.Key)).Select(index => new StoreFinding(
                "indexes", FindingLevel.Problem, $"Index {index.Key} is missing.", database.Sql(index.Value))),
        ];
    }

    private async ValueTask<List<StoreFinding>> FindOwnerAsync(CancellationToken cancellationToken)
    {
        var owners = await ReadAsync(
            MigrationSql.ForeignOwner, [Arg.Text(database.SchemaName)],
            static reader => reader.GetString(0), cancellationToken).ConfigureAwait(false);
        return
        [
            .. owners.Select(owner => new StoreFinding(
                "owner",
                FindingLevel.Problem,
                $"Role {owner} owns the schema and could replace the tables in it, but not their rows: no node starts.",
                $"alter schema {database.Schema} owner to <the role that migrates>")),
        ];
    }

    private async ValueTask<List<StoreFinding>> FindPoolerAsync(CancellationToken cancellationToken)
        => await database.TranslateAsync(SessionProbe.IsSharedAsync, cancellationToken).ConfigureAwait(false)
            ?
            [
                new StoreFinding(
                    "pooler",
                    FindingLevel.Warning,
                    "A pooler between this process and the server gives each transaction another session.",
                    "Set UseSessionLocks = false and UseNotifications = false in PostgreSqlOptions on every node, "
                    + "or let the pooler use session mode."),
            ]
            : [];

    private async ValueTask<List<StoreFinding>> CompareClocksAsync(DoctorLimits limits, CancellationToken cancellationToken)
    {
        // The first statement may open the connection. What the second one takes is the uncertainty.
        await ReadClockAsync(cancellationToken).ConfigureAwait(false);
        var before = time.GetUtcNow();
        var server = await ReadClockAsync(cancellationToken).ConfigureAwait(false);
        var after = time.GetUtcNow();
        var difference = server < before ? before - server : server > after ? server - after : TimeSpan.Zero;
        return difference >= limits.ClockDifference
            ?
            [
                new StoreFinding(
                    "clock",
                    FindingLevel.Warning,
                    $"The clocks of this machine and of the server differ by {difference.TotalSeconds:0} s.",
                    "Let both get their time from a time server (NTP)."),
            ]
            : [];
    }

    private async ValueTask<DateTimeOffset> ReadClockAsync(CancellationToken cancellationToken)
        => (await ReadAsync(
            DoctorSql.Clock, [], static reader => reader.GetFieldValue<DateTimeOffset>(0), cancellationToken).ConfigureAwait(false))[0];
}
