using System.Collections.Concurrent;
using System.Data.Common;
using System.Net;
using System.Net.Http.Headers;
using Microsoft.Data.Sqlite;

namespace TaskRecovery.Testing.Tests.Samples;

public interface ITravel
{
    Task<string> BookFlightAsync(string trip, CancellationToken cancellationToken);

    Task BookHotelAsync(string trip, CancellationToken cancellationToken);

    Task CancelFlightAsync(string flight, CancellationToken cancellationToken);
}

/// <summary>Flights can be booked. The hotel is full at the first call only, so that a step that runs again has another outcome.</summary>
internal sealed class Travel : ITravel
{
    private bool _hasRefused;

    public List<string> Done { get; } = [];

    public Task<string> BookFlightAsync(string trip, CancellationToken cancellationToken)
    {
        Done.Add($"booked flight to {trip}");
        return Task.FromResult($"flight to {trip}");
    }

    public Task BookHotelAsync(string trip, CancellationToken cancellationToken)
    {
        if (!_hasRefused)
        {
            _hasRefused = true;
            throw new NoRoomException($"no room in {trip}");
        }

        Done.Add($"booked hotel in {trip}");
        return Task.CompletedTask;
    }

    public Task CancelFlightAsync(string flight, CancellationToken cancellationToken)
    {
        Done.Add($"cancelled {flight}");
        return Task.CompletedTask;
    }
}

public sealed class NoRoomException(string message) : Exception(message);

[JobKind("recipes.charge")]
internal sealed record Charge(decimal Amount);

internal sealed class Payments(ISet<string> keys)
{
    public Task ChargeAsync(decimal amount, string idempotencyKey, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Assert.True(amount > 0);
        keys.Add(idempotencyKey);
        return Task.CompletedTask;
    }
}

public interface ICards
{
    Task ChargeAsync(int orderId, CancellationToken cancellationToken);
}

internal sealed class Cards : ICards
{
    public List<int> Charged { get; } = [];

    public Task ChargeAsync(int orderId, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Charged.Add(orderId);
        return Task.CompletedTask;
    }
}

/// <summary>The packed orders in a SQLite file.</summary>
public sealed class Orders(string connectionString) : IAsyncDisposable
{
    private readonly ConcurrentBag<SqliteConnection> _connections = [];

    public async Task<DbTransaction> BeginAsync(CancellationToken cancellationToken)
    {
        var connection = new SqliteConnection(connectionString);
        _connections.Add(connection);
        await connection.OpenAsync(cancellationToken);
        return connection.BeginTransaction(deferred: false);
    }

    public Task PackAsync(int orderId, DbTransaction transaction, CancellationToken cancellationToken)
        => ExecuteAsync(
            transaction, $"create table if not exists packed (id integer); insert into packed values ({orderId})", cancellationToken);

    public async Task<long> CountAsync(CancellationToken cancellationToken)
    {
        await using var transaction = await BeginAsync(cancellationToken);
        return (long)(await ExecuteAsync(transaction, "select count(*) from packed", cancellationToken))!;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections)
        {
            await connection.DisposeAsync();
        }
    }

    private static async Task<object?> ExecuteAsync(DbTransaction transaction, string statement, CancellationToken cancellationToken)
    {
        await using var command = transaction.Connection!.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = statement;
        return await command.ExecuteScalarAsync(cancellationToken);
    }
}

public sealed record Change(string Customer, int Number);

/// <summary>Changes of customers in a SQLite file, whose transactions write one after the other.</summary>
public sealed class Changes : IAsyncDisposable
{
    private readonly ConcurrentBag<SqliteConnection> _connections = [];
    private readonly ConcurrentQueue<Change> _applied = [];
    private readonly TaskCompletionSource _allApplied = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _expected;

    private Changes(string connectionString, int expected)
    {
        ConnectionString = connectionString;
        _expected = expected;
    }

    public string ConnectionString { get; }

    public IEnumerable<Change> Applied => _applied;

    public Task AllApplied => _allApplied.Task;

    public static async Task<Changes> CreateAsync(string connectionString, int expected, CancellationToken cancellationToken)
    {
        var changes = new Changes(connectionString, expected);
        await using var transaction = await changes.BeginAsync("", cancellationToken);
        await ExecuteAsync(transaction, "create table changes (id integer primary key, customer text, number integer)", cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return changes;
    }

    public async Task<DbTransaction> BeginAsync(string customer, CancellationToken cancellationToken)
    {
        Assert.NotNull(customer);   // on SQLite the transaction locks the whole file
        var connection = new SqliteConnection(ConnectionString);
        _connections.Add(connection);
        await connection.OpenAsync(cancellationToken);
        return connection.BeginTransaction(deferred: false);
    }

    public Task AddAsync(Change change, DbTransaction transaction, CancellationToken cancellationToken)
        => ExecuteAsync(
            transaction, "insert into changes (customer, number) values ($customer, $number)",
            cancellationToken, ("$customer", change.Customer), ("$number", change.Number));

    public async Task<bool> ApplyNextAsync(string customer, DbTransaction transaction, CancellationToken cancellationToken)
    {
        const string next = "delete from changes where id = (select min(id) from changes where customer = $customer) returning number";
        if (await ExecuteAsync(transaction, next, cancellationToken, ("$customer", customer)) is not long number)
        {
            return false;
        }

        _applied.Enqueue(new Change(customer, (int)number));
        if (_applied.Count == _expected)
        {
            _allApplied.TrySetResult();
        }

        return true;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections)
        {
            await connection.DisposeAsync();
        }
    }

    private static async Task<object?> ExecuteAsync(
        DbTransaction transaction, string statement, CancellationToken cancellationToken, params (string Name, object Value)[] parameters)
    {
        await using var command = ((SqliteConnection)transaction.Connection!).CreateCommand();
        command.Transaction = (SqliteTransaction)transaction;
        command.CommandText = statement;
        foreach (var (name, value) in parameters)
        {
            command.Parameters.AddWithValue(name, value);
        }

        return await command.ExecuteScalarAsync(cancellationToken);
    }
}

[JobKind("recipes.pages")]
internal sealed record ReadPages(int Pages);

internal sealed class Pages
{
    public List<int> Read { get; } = [];

    public Task ReadAsync(int page, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Read.Add(page);
        return Task.CompletedTask;
    }
}

/// <summary>A server that gives one answer.</summary>
internal sealed class Answer(HttpStatusCode status) : HttpMessageHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = new HttpResponseMessage(status);
        response.Headers.RetryAfter = new RetryConditionHeaderValue(TimeSpan.FromSeconds(40));
        return Task.FromResult(response);
    }
}
