using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using TaskRecovery.TestSupport;

namespace TaskRecovery.PostgreSql.Tests.Server;

/// <summary>A synchronous standby is away, so that a commit waits for it, and no other transaction sees what it stores.</summary>
public sealed class AbsentStandbyTests : IAsyncDisposable
{
    private PostgresServer? _server;
    private ServiceProvider? _services;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await (_services?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_server?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    [Fact]
    public async Task Changes_and_their_entry_whose_commit_waits_for_a_standby_are_stored_once()
    {
        _server = await PostgresServer.StartAsync(new PostgresServerOptions { Controlled = true });
        await using var source = NpgsqlDataSource.Create(_server.ConnectionString + ";Command Timeout=1;Cancellation Timeout=-1");
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddDbContext<ShopContext>(options => options.UseNpgsql(source, static npgsql => npgsql.EnableRetryOnFailure()));
        services.AddTaskRecovery().UsePostgreSql(_server.ConnectionString).AddKind<SendInvoice>();
        _services = services.BuildServiceProvider();
        await using var scope = _services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ShopContext>();

        // Only the commit of the order has the short limit: that of its table must not time out on a machine that stands still.
        db.Database.SetCommandTimeout(60);
        await using (var setup = new ShopContext(
            new DbContextOptionsBuilder<ShopContext>().UseNpgsql(_server.ConnectionString).Options))
        {
            await setup.Database.EnsureCreatedAsync(Cancellation);
        }

        await _services.GetRequiredService<IStoreMigrator>().MigrateAsync(Cancellation);
        await WaitForStandbyAsync("nobody");

        db.Orders.Add(new Order { Customer = "Ann" });
        var saving = db.SaveChangesAndEnqueueAsync(new SendInvoice(), cancellationToken: Cancellation);
        await WaitForQuestionAsync();
        Assert.False(saving.IsCompleted);
        await WaitForStandbyAsync("");

        var stored = await saving;
        var entries = await _services.GetRequiredService<IJobQueue>().ListAsync(cancellationToken: Cancellation);
        Assert.Equal(stored.Id, Assert.Single(entries.Entries).Id);
        Assert.Equal(1, await db.Orders.CountAsync(Cancellation));
    }

    // The commit has timed out, and what became of it has been asked.
    private async Task WaitForQuestionAsync()
    {
        await using var connection = new NpgsqlConnection(_server!.ConnectionString + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(
            "select exists (select from pg_stat_activity where query like '%pg_visible_in_snapshot%' and pid <> pg_backend_pid())",
            connection);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromMinutes(2));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!(bool)(await command.ExecuteScalarAsync(limit.Token))!)
        {
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }

    private async Task WaitForStandbyAsync(string name)
    {
        await using var connection = new NpgsqlConnection(_server!.ConnectionString + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand($"alter system set synchronous_standby_names = '{name}'", connection);
        await command.ExecuteNonQueryAsync(Cancellation);
        command.CommandText = "select pg_reload_conf()";
        await command.ExecuteNonQueryAsync(Cancellation);
        command.CommandText = "show synchronous_standby_names";
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while ((string)(await command.ExecuteScalarAsync(Cancellation))! != name)
        {
            await timer.WaitForNextTickAsync(Cancellation);
        }
    }

    public sealed class Order
    {
        public int Id { get; init; }

        public required string Customer { get; init; }
    }

    public sealed class ShopContext(DbContextOptions<ShopContext> options) : DbContext(options)
    {
        public DbSet<Order> Orders => Set<Order>();
    }

    [JobKind("test.send-invoice")]
    public sealed record SendInvoice;
}
