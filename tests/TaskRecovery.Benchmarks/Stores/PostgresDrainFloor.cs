using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Benchmarks.Children;
using TaskRecovery.PostgreSql;

namespace TaskRecovery.Benchmarks.Stores;

/// <summary>The store's claim and finish statements, prepared, in plain loops on connections of their own.</summary>
internal sealed class PostgresDrainFloor(ChildSpec spec) : IDrainFloor
{
    private const string Settings = "-c synchronous_commit=on -c enable_seqscan=off -c jit=off -c plan_cache_mode=force_generic_plan";
    private const int ClaimsPerRemoval = 20;

    private readonly Guid _node = Guid.NewGuid();
    private readonly List<NpgsqlConnection> _connections = [];
    private short[] _kinds = [];

    public static string Sql(string statement)
        => statement.Replace("{schema}", "taskrecovery", StringComparison.Ordinal)
            .Replace("{schema:literal}", "taskrecovery", StringComparison.Ordinal);

    /// <summary>Opens connections with the settings that the store gives its own.</summary>
    public static async Task OpenAsync(List<NpgsqlConnection> connections, ChildSpec spec)
    {
        for (var i = 0; i < spec.Parallel; i++)
        {
            var connection = new NpgsqlConnection(
                new NpgsqlConnectionStringBuilder(spec.ConnectionString) { Options = Settings, Pooling = false }.ConnectionString);
            await connection.OpenAsync();
            connections.Add(connection);
        }
    }

    public static async Task<short> FindKindAsync(NpgsqlConnection connection, string name = "benchmark")
    {
        await using var kind = new NpgsqlCommand("select id from taskrecovery.kinds where name = $1", connection);
        kind.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
        return (short)(await kind.ExecuteScalarAsync())!;
    }

    public static async Task<int> FindQueueAsync(NpgsqlConnection connection, string queue)
    {
        await using var find = new NpgsqlCommand("select id from taskrecovery.queues where name = $1", connection);
        find.Parameters.Add(new NpgsqlParameter<string> { TypedValue = queue });
        return (int)(await find.ExecuteScalarAsync())!;
    }

    public async Task OpenAsync()
    {
        await OpenAsync(_connections, spec);
        foreach (var name in KindNames)
        {
            _kinds = [.. _kinds, await FindKindAsync(_connections[0], name)];
        }

        await PostgresFloorClaims.AddNodeAsync(_connections[0], _node);
    }

    public async Task DrainAsync(string queue, Action<int> done)
    {
        var number = await FindQueueAsync(_connections[0], queue);
        await Task.WhenAll(_connections.Select(connection => Task.Run(() => DrainAsync(connection, number, queue, done))));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections)
        {
            await connection.DisposeAsync();
        }
    }

    private string[] KindNames => spec.StartsTasks ? ["benchmark", PostgresStarts.Kind] : ["benchmark"];

    private async Task DrainAsync(NpgsqlConnection connection, int queue, string name, Action<int> done)
    {
        var times = PostgresFloorClaims.Beginning();
        await using var claim = PostgresFloorClaims.Command(
            connection, ClaimSql.ClaimBesideOthers,
            PostgresFloorClaims.Args(_node, (queue, name), (_kinds, KindNames), spec.Batch, times));
        await claim.PrepareAsync();
        var settled = new List<long>();
        var taken = new List<long>();
        var args = new List<byte[]>();
        while (await PostgresFloorClaims.ClaimAsync(claim, taken, args, times) is var fence and > 0)
        {
            if (spec.StartsTasks)
            {
                await RunAsync(connection, StartSql.Apply, PostgresStarts.Args(taken, args, fence, queue, _kinds[^1]));
            }

            await RunAsync(
                connection,
                spec.StartsTasks ? OutcomeSql.EndAndFollow : OutcomeSql.End,
                [
                    Arg.Uuid(_node), Arg.Array<long>([.. taken], NpgsqlDbType.Bigint),
                    Arg.Array<long>([.. Enumerable.Repeat(fence, taken.Count)], NpgsqlDbType.Bigint),
                    Arg.Array(new short[taken.Count], NpgsqlDbType.Smallint),
                    Arg.Array(new int[taken.Count], NpgsqlDbType.Integer), NoTexts(), NoTexts(), NoTexts(),
                    Arg.Array<TimeSpan>([], NpgsqlDbType.Interval), Arg.Bool(false),
                ]);
            settled.Add(fence);
            if (settled.Count == ClaimsPerRemoval)
            {
                await RemoveAsync(connection, settled);
            }

            done(taken.Count);
            taken.Clear();
            args.Clear();
        }

        await RemoveAsync(connection, settled);
    }

    private async Task RemoveAsync(NpgsqlConnection connection, List<long> settled)
    {
        await RunAsync(connection, ClaimSql.RemoveSettled, [Arg.Uuid(_node), Arg.Array(settled.ToArray(), NpgsqlDbType.Bigint)]);
        settled.Clear();
    }

    private static async Task RunAsync(NpgsqlConnection connection, string statement, NpgsqlParameter[] args)
    {
        await using var command = PostgresFloorClaims.Command(connection, statement, args);
        await command.PrepareAsync();
        await command.ExecuteNonQueryAsync();
    }

    private static NpgsqlParameter NoTexts() => Arg.Array<string>([], NpgsqlDbType.Text);
}
