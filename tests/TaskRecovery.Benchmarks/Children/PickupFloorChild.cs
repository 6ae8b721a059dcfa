using System.Diagnostics;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Benchmarks.Stores;
using TaskRecovery.PostgreSql;

namespace TaskRecovery.Benchmarks.Children;

/// <summary>Enqueues, sends a hint, listens and claims without the engine, one entry at a time, with the store's statements on connections
/// of its own.</summary>
internal sealed class PickupFloorChild(ChildSpec spec) : Child, IAsyncDisposable
{
    private const int Connections = 4;
    private const int Limit = 20;
    private const int WarmUpEntries = 200;
    private const string Channel = "pickup_floor";

    private readonly List<NpgsqlConnection> _connections = [];
    private readonly DateTime[] _times = PostgresFloorClaims.Beginning();
    private readonly long[] _called = new long[spec.Count];
    private readonly long[] _returned = new long[spec.Count];
    private readonly long[] _started = new long[spec.Count];
    private NpgsqlCommand? _enqueue;
    private NpgsqlCommand? _send;
    private NpgsqlCommand? _claim;
    private long _count;

    protected override long Count => Interlocked.Read(ref _count);

    protected override long[][] Times => [_called, _returned, _started];

    private NpgsqlConnection Listener => _connections[^1];

    protected override async Task PrepareAsync()
    {
        await PostgresDrainFloor.OpenAsync(_connections, spec with { Parallel = Connections });
        var (enqueuer, sender, claimer) = (_connections[0], _connections[1], _connections[2]);
        await ExecuteAsync(enqueuer, $"insert into taskrecovery.queues (name) values ('{spec.Queue}') on conflict do nothing");
        await ExecuteAsync(enqueuer, "insert into taskrecovery.kinds (name) values ('benchmark') on conflict do nothing");
        await ExecuteAsync(sender, "set synchronous_commit = off");
        await ExecuteAsync(Listener, "listen " + Channel);
        var node = Guid.NewGuid();
        await PostgresFloorClaims.AddNodeAsync(claimer, node);
        var queue = await PostgresDrainFloor.FindQueueAsync(enqueuer, spec.Queue);
        var kind = await PostgresDrainFloor.FindKindAsync(enqueuer);
        _enqueue = PostgresFloorClaims.Command(
            enqueuer, EntrySql.EnqueueOne,
            [
                Arg.Int4(queue), Arg.Int2(kind), Arg.Int2(5), Arg.Int2(10),
                Arg.Utf8(JsonSerializer.SerializeToUtf8Bytes(BenchmarkArgs.Create(1, 0, spec.ArgsBytes))),
                Arg.Time(null), Arg.Interval(null), Arg.Interval(null), Arg.Text(null), Arg.Text(null),
                Arg.Text(spec.Queue), Arg.Text("benchmark"),
            ]);
        _send = PostgresFloorClaims.Command(
            sender, HintSql.Send, [Arg.Text(Channel), Arg.Array<string>(["work"], NpgsqlDbType.Text)]);
        _claim = PostgresFloorClaims.Command(
            claimer, ClaimSql.ClaimAlone,
            PostgresFloorClaims.Args(node, (queue, spec.Queue), ([kind], ["benchmark"]), Limit, _times));
        await _enqueue.PrepareAsync();
        await _send.PrepareAsync();
        await _claim.PrepareAsync();
        await WarmUp.UntilCompiledAsync(async _ =>
        {
            for (var number = 0; number < WarmUpEntries; number++)
            {
                await PickUpAsync();
            }
        });
    }

    protected override async Task GoAsync()
    {
        var began = Stopwatch.GetTimestamp();
        for (var number = 0; number < spec.Count; number++)
        {
            var left = (number / spec.Rate) - Stopwatch.GetElapsedTime(began).TotalSeconds;
            if (left > 0)
            {
                await Task.Delay(TimeSpan.FromSeconds(left));
            }

            (_called[number], _returned[number], _started[number]) = await PickUpAsync();
            Interlocked.Increment(ref _count);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var command in (NpgsqlCommand?[])[_enqueue, _send, _claim])
        {
            await (command?.DisposeAsync() ?? ValueTask.CompletedTask);
        }

        foreach (var connection in _connections)
        {
            await connection.DisposeAsync();
        }
    }

    // The hint and the claim overlap, as they do in two processes.
    private async Task<(long Called, long Returned, long Started)> PickUpAsync()
    {
        var hint = Listener.WaitAsync();
        var called = Stopwatch.GetTimestamp();
        await _enqueue!.ExecuteNonQueryAsync();
        var returned = Stopwatch.GetTimestamp();
        var claim = ClaimAfterAsync(hint);
        await _send!.ExecuteNonQueryAsync();
        return (called, returned, await claim);
    }

    private async Task<long> ClaimAfterAsync(Task hint)
    {
        await hint;
        return await PostgresFloorClaims.ClaimAsync(_claim!, [], [], _times) > 0
            ? Stopwatch.GetTimestamp()
            : throw new InvalidOperationException("The claim after a hint found nothing.");
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string statement)
    {
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync();
    }
}
