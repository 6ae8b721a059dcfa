using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TaskRecovery.Testing;

namespace TaskRecovery.PostgreSql.Tests.Workers;

/// <summary>An application under test that stores its queue in PostgreSQL, without a server: nothing may connect to its database.</summary>
public sealed class ReplacedStoreTests : IDisposable
{
    private readonly TcpListener _server = new(IPAddress.Loopback, 0);

    public ReplacedStoreTests() => _server.Start();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string ConnectionString
        => $"Host=127.0.0.1;Port={((IPEndPoint)_server.LocalEndpoint).Port};Username=nobody;Password=none;Database=production";

    public void Dispose() => _server.Dispose();

    [Fact]
    public async Task The_test_s_database_replaces_all_services_of_the_application_s()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddTaskRecovery().UsePostgreSql(ConnectionString).AddWorker<Pay, PayWorker>();
        builder.Services.AddSingleton<Reports>();
        builder.Services.AddTaskRecoveryTesting();
        using var host = builder.Build();
        await host.StartAsync(Cancellation);
        var test = host.Services.GetTaskRecoveryTest();

        await host.Services.GetRequiredService<IJobQueue>().EnqueueAsync(new Pay(3), cancellationToken: Cancellation);
        var drained = await test.DrainAsync(cancellationToken: Cancellation);
        var snapshot = await host.Services.GetRequiredService<IQueueMonitor>().GetSnapshotAsync(Cancellation);
        await host.StopAsync(Cancellation);

        Assert.Equal(RunEnd.Completed, Assert.Single(drained.Runs).End);
        Assert.Equal((3L, (long?)3), host.Services.GetRequiredService<Reports>().Last);
        Assert.Equal("default", Assert.Single(snapshot.Queues).Name);
        Assert.False(_server.Pending());
    }

    [Fact]
    public async Task A_store_that_is_set_up_after_the_test_fails_the_start()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        var tasks = builder.Services.AddTaskRecovery().AddKind<Pay>();
        builder.Services.AddTaskRecoveryTesting();
        tasks.UsePostgreSql(ConnectionString);
        using var host = builder.Build();

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => host.StartAsync(Cancellation));

        Assert.StartsWith(
            "IQueueStore is a TaskRecovery.PostgreSql.PostgreSqlQueueStore of another store than the test's", error.Message,
            StringComparison.Ordinal);
        Assert.False(_server.Pending());
    }

    [JobKind("pay")]
    private sealed record Pay(int Amount);

    private sealed class Reports
    {
        public (long Done, long? Total) Last { get; set; }
    }

    private sealed class PayWorker(IQueueMonitor monitor, Reports reports) : IJobWorker<Pay>
    {
        public async Task WorkAsync(WorkContext<Pay> context, CancellationToken cancellationToken)
        {
            await context.ReportProgressAsync(context.Args.Amount, context.Args.Amount, cancellationToken: cancellationToken);
            var stored = (await monitor.GetLifeAsync(context.EntryId, cancellationToken: cancellationToken))!.Progress!;
            reports.Last = (stored.Done, stored.Total);
        }
    }
}
