using Npgsql;
using TaskRecovery.PostgreSql.Tests.Conformance;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>Lets statements that write to a table wait just before the write, until the test opens the gate.</summary>
internal sealed class StatementGate : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly long _key;
    private readonly CancellationToken _cancellation;

    private StatementGate(NpgsqlConnection connection, long key, CancellationToken cancellation)
    {
        _connection = connection;
        _key = key;
        _cancellation = cancellation;
    }

    /// <summary>Closes the gate.</summary>
    /// <param name="fixture">The store.</param>
    /// <param name="table">The table.</param>
    /// <param name="write">Which writes wait: <c>insert</c>, <c>update</c> or <c>delete</c>.</param>
    /// <param name="cancellation">Ends the waits of the gate.</param>
    public static async Task<StatementGate> CloseAsync(
        PostgreSqlFixture fixture, string table, string write, CancellationToken cancellation)
    {
        var connection = (NpgsqlConnection)await fixture.OpenConnectionAsync(cancellation);
        var gate = new StatementGate(connection, Random.Shared.NextInt64(), cancellation);
        await gate.RunAsync($"""
            create function pass() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock({gate._key});
                return case when tg_op = 'DELETE' then old else new end; end $$;
            create trigger pass before {write} on {table} for each row execute function pass();
            select pg_advisory_lock({gate._key});
            """);
        return gate;
    }

    /// <summary>Opens the gate.</summary>
    public Task OpenAsync() => RunAsync($"select pg_advisory_unlock({_key})");

    /// <summary>Returns when so many statements on this database wait for a lock, at the gate or behind each other.</summary>
    /// <param name="statements">How many.</param>
    /// <param name="orEnded">Returns as well when this task has ended.</param>
    public async Task UntilWaitingAsync(int statements, Task? orEnded = null)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_cancellation);
        limit.CancelAfter(TimeSpan.FromMinutes(2));
        while (orEnded?.IsCompleted != true && await CountAsync() != statements)
        {
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    // No other test uses this database.
    private async Task<long> CountAsync()
    {
        await using var command = new NpgsqlCommand(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'", _connection);
        return (long)(await command.ExecuteScalarAsync(_cancellation))!;
    }

    private async Task RunAsync(string statement)
    {
        await using var command = new NpgsqlCommand(statement, _connection);
        await command.ExecuteNonQueryAsync(_cancellation);
    }
}
