using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using TaskRecovery.Queue;
using TaskRecovery.Storage;
using TaskRecovery.TestSupport;

namespace TaskRecovery.PostgreSql.Tests.Workers;

/// <summary>A worker that ends its entry in a transaction of its own: effects and outcome commit together, or neither does.</summary>
public sealed class TransactionTests : IAsyncLifetime
{
    private readonly Handler _handler = new();
    private PostgresDatabase? _database;
    private NpgsqlDataSource? _source;
    private IHost? _host;

    private NpgsqlDataSource Source => _source!;

    private IJobQueue Queue => _host!.Services.GetRequiredService<IJobQueue>();

    public async ValueTask InitializeAsync()
    {
        _database = await MigratedDatabase.CreateAsync("transaction");
        _source = NpgsqlDataSource.Create(_database.ConnectionString);
        await using (var command = _source.CreateCommand("create table effects (entry bigint not null, attempt int not null)"))
        {
            await command.ExecuteNonQueryAsync();
        }

        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddPatience().AddSingleton(_handler);
        builder.Services.AddTaskRecovery(options => options.ShutdownTimeout = TimeSpan.FromSeconds(5))
            .UsePostgreSql(_database.ConnectionString)
            .AddWorker<Pay, PayWorker>(configure: options => options.RetryBase = TimeSpan.FromMilliseconds(1));
        _host = builder.Build();
        await _host.StartAsync();
    }

    [Fact]
    public async Task The_effects_and_the_outcome_commit_together()
    {
        _handler.Do = (context, cancellationToken) => PayAsync(context, commit: true, cancellationToken);

        var (id, _) = await Queue.EnqueueAsync(new Pay(7));
        var entry = await EndedAsync(id);

        Assert.Equal((EntryState.Completed, 1, 1L), (entry.State, entry.Attempt, await EffectsAsync(id)));
        Assert.Empty(await LawAsync());
    }

    [Fact]
    public async Task A_transaction_that_is_rolled_back_takes_the_outcome_with_it_and_the_entry_is_tried_again()
    {
        _handler.Do = (context, cancellationToken) => PayAsync(context, commit: context.Attempt == 3, cancellationToken);

        var (id, _) = await Queue.EnqueueAsync(new Pay(7));
        var entry = await EndedAsync(id);

        Assert.Equal((EntryState.Completed, 3, 1L), (entry.State, entry.Attempt, await EffectsAsync(id)));
        Assert.Empty(await LawAsync());
    }

    [Fact]
    public async Task An_error_after_the_commit_changes_nothing()
    {
        _handler.Do = async (context, cancellationToken) =>
        {
            await PayAsync(context, commit: true, cancellationToken);
            throw new InvalidOperationException("after the commit");
        };

        var (id, _) = await Queue.EnqueueAsync(new Pay(7));
        var entry = await EndedAsync(id);

        Assert.Equal((EntryState.Completed, 1, 1L), (entry.State, entry.Attempt, await EffectsAsync(id)));
        Assert.Empty(await LawAsync());
    }

    [Fact]
    public async Task A_worker_that_completes_in_a_transaction_in_which_a_statement_failed_spends_its_attempts()
    {
        _handler.Do = async (context, cancellationToken) =>
        {
            await using var connection = await Source.OpenConnectionAsync(cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await using var command = new NpgsqlCommand("insert into effects (entry, attempt) values (null, 1)", connection, transaction);
            await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync(cancellationToken));
            await context.CompleteAsync(transaction, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        };

        var (id, _) = await Queue.EnqueueAsync(new Pay(7), new EnqueueOptions { MaxAttempts = 2 });
        var entry = await EndedAsync(id);

        Assert.Equal((EntryState.Failed, 2), (entry.State, entry.Attempt));
        Assert.Contains("The transaction is aborted", entry.Error, StringComparison.Ordinal);
        Assert.Empty(await LawAsync());
    }

    [Fact]
    public async Task A_worker_that_waits_for_a_unique_key_of_its_own_transaction_spends_its_attempts()
    {
        _host!.Services.GetRequiredService<EntryWriter>().KeyLimit = TimeSpan.Zero;
        _handler.Do = async (_, cancellationToken) =>
        {
            await using var connection = await Source.OpenConnectionAsync(cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            var once = new EnqueueOptions { UniqueKey = "once" };
            await Queue.EnqueueAsync(new Pay(1), transaction, once, cancellationToken);
            await Queue.EnqueueAsync(new Pay(1), once, cancellationToken);
        };

        var (id, _) = await Queue.EnqueueAsync(new Pay(7), new EnqueueOptions { MaxAttempts = 2 });
        var entry = await EndedAsync(id);

        Assert.Equal((EntryState.Failed, 2), (entry.State, entry.Attempt));
        Assert.Contains("The call waited in vain for a unique key", entry.Error, StringComparison.Ordinal);
        Assert.Empty(await LawAsync());
    }

    [Fact]
    public async Task An_enqueue_in_a_transaction_is_gone_when_that_rolls_back_and_runs_when_it_commits()
    {
        _handler.Do = static (_, _) => Task.CompletedTask;

        var gone = await EnqueueAsync(commit: false);
        var stays = await EnqueueAsync(commit: true);
        var entry = await EndedAsync(stays);

        Assert.Equal(EntryState.Completed, entry.State);
        Assert.Null(await Queue.FindAsync(gone));
    }

    [Fact]
    public async Task An_entry_is_found_by_a_poll_if_the_process_that_stored_it_is_gone_at_the_commit()
    {
        _handler.Do = static (_, _) => Task.CompletedTask;
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddTaskRecovery().UsePostgreSql(_database!.ConnectionString).AddKind<Pay>();
        var producer = builder.Build();
        await producer.StartAsync();
        await using var connection = await Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var (id, _) = await producer.Services.GetRequiredService<IJobQueue>().EnqueueAsync(new Pay(1), transaction);
        await producer.StopAsync();
        producer.Dispose();

        await transaction.CommitAsync();
        var entry = await EndedAsync(id);

        Assert.Equal(EntryState.Completed, entry.State);
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.StopAsync();
            _host.Dispose();
        }

        if (_source is not null)
        {
            await _source.DisposeAsync();
        }

        if (_database is not null)
        {
            await _database.DisposeAsync();
        }
    }

    private async Task PayAsync(WorkContext<Pay> context, bool commit, CancellationToken cancellationToken)
    {
        await using var connection = await Source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = new NpgsqlCommand("insert into effects (entry, attempt) values ($1, $2)", connection, transaction);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = context.EntryId });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = context.Attempt });
        await command.ExecuteNonQueryAsync(cancellationToken);
        await context.CompleteAsync(transaction, cancellationToken);
        if (commit)
        {
            await transaction.CommitAsync(cancellationToken);
        }
    }

    private async Task<long> EnqueueAsync(bool commit)
    {
        await using var connection = await Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var (id, _) = await Queue.EnqueueAsync(new Pay(1), transaction);
        if (commit)
        {
            await transaction.CommitAsync();
        }

        return id;
    }

    private async Task<QueueEntry> EndedAsync(long id)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (await timer.WaitForNextTickAsync(limit.Token))
        {
            if (await Queue.FindAsync(id, limit.Token)
                is { State: EntryState.Completed or EntryState.Failed or EntryState.Cancelled } entry)
            {
                return entry;
            }
        }

        throw new InvalidOperationException("The timer was disposed of.");
    }

    private async Task<long> EffectsAsync(long id)
    {
        await using var command = Source.CreateCommand("select count(*) from effects where entry = $1");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = id });
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private ValueTask<IReadOnlyList<string>> LawAsync()
        => _host!.Services.GetRequiredService<IQueueStore>().CheckInvariantsAsync(CancellationToken.None);

    [JobKind("test.pay")]
    internal sealed record Pay(int Amount);

    internal sealed class Handler
    {
        public Func<WorkContext<Pay>, CancellationToken, Task> Do { get; set; } = static (_, _) => Task.CompletedTask;
    }

    internal sealed class PayWorker(Handler handler) : IJobWorker<Pay>
    {
        public Task WorkAsync(WorkContext<Pay> context, CancellationToken cancellationToken) => handler.Do(context, cancellationToken);
    }
}
