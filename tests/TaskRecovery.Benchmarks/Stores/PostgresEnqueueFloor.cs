using System.Diagnostics;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Benchmarks.Children;
using TaskRecovery.PostgreSql;

namespace TaskRecovery.Benchmarks.Stores;

/// <summary>The store's enqueue statement, prepared, in plain loops on connections of their own.</summary>
internal sealed class PostgresEnqueueFloor(ChildSpec spec) : IEnqueueFloor
{
    private readonly List<NpgsqlConnection> _connections = [];
    private short _kind;

    public async Task OpenAsync()
    {
        await PostgresDrainFloor.OpenAsync(_connections, spec);
        _kind = await PostgresDrainFloor.FindKindAsync(_connections[0]);
    }

    public async Task EnqueueAsync(string queue, double seconds, int count, Action<int> done)
    {
        var number = await PostgresDrainFloor.FindQueueAsync(_connections[0], queue);
        var left = count == 0 ? int.MaxValue : count;
        var limit = seconds > 0 ? TimeSpan.FromSeconds(seconds) : TimeSpan.MaxValue;
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(_connections.Select(connection => Task.Run(async () =>
        {
            await using var command = await PrepareAsync(connection, number);
            while (Stopwatch.GetElapsedTime(started) < limit && Interlocked.Add(ref left, -spec.Batch) >= 0)
            {
                await using var reader = await command.ExecuteReaderAsync();
                while (await reader.ReadAsync())
                {
                    _ = reader.GetFieldValue<long[]>(0);
                }

                done(spec.Batch);
            }
        })));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections)
        {
            await connection.DisposeAsync();
        }
    }

    private async Task<NpgsqlCommand> PrepareAsync(NpgsqlConnection connection, int queue)
    {
        var command = new NpgsqlCommand(PostgresDrainFloor.Sql(EntrySql.Enqueue), connection);
        var args = JsonSerializer.Serialize(BenchmarkArgs.Create(1, 0, spec.ArgsBytes));
        command.Parameters.AddRange((NpgsqlParameter[])
        [
            Arg.Array(Repeat(queue), NpgsqlDbType.Integer), Arg.Array(Repeat(_kind), NpgsqlDbType.Smallint),
            Arg.Array(Repeat((short)5), NpgsqlDbType.Smallint),
            Arg.Array(Repeat((short)10), NpgsqlDbType.Smallint), Arg.Array(Repeat(args), NpgsqlDbType.Text),
            Arg.Array<DateTime>([], NpgsqlDbType.TimestampTz),
            Arg.Array<TimeSpan>([], NpgsqlDbType.Interval), Arg.Array<TimeSpan>([], NpgsqlDbType.Interval),
            Arg.Array<string>([], NpgsqlDbType.Text), Arg.Array<string>([], NpgsqlDbType.Text), Arg.Array<string>([], NpgsqlDbType.Text),
            Arg.Array<int>([], NpgsqlDbType.Integer), Arg.Array<string>([], NpgsqlDbType.Text),
            Arg.Array<int>([], NpgsqlDbType.Integer), Arg.Array<string>([], NpgsqlDbType.Text),
        ]);
        await command.PrepareAsync();
        return command;
    }

    private T[] Repeat<T>(T value) => [.. Enumerable.Repeat(value, spec.Batch)];
}
