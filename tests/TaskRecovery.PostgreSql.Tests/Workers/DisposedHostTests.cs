using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TaskRecovery.Claims;
using TaskRecovery.TestSupport;

namespace TaskRecovery.PostgreSql.Tests.Workers;

/// <summary>A host that is disposed without having been stopped, as a test host or a short program does it.</summary>
public sealed class DisposedHostTests : IAsyncLifetime
{
    private readonly Starts _starts = new();
    private PostgresDatabase? _database;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _database = await MigratedDatabase.CreateAsync("disposed");

    public async ValueTask DisposeAsync() => await _database!.DisposeAsync();

    [Fact]
    public async Task The_next_host_runs_its_work_at_once_and_counts_no_crash()
    {
        var first = await StartAsync();
        var (id, _) = await first.Services.GetRequiredService<IJobQueue>().EnqueueAsync(new Held(), cancellationToken: Cancellation);
        await _starts.NextAsync();

        var clock = Stopwatch.StartNew();
        first.Dispose();
        var next = await StartAsync();
        await _starts.NextAsync();
        clock.Stop();

        var entry = await next.Services.GetRequiredService<IJobQueue>().FindAsync(id, Cancellation);
        next.Dispose();
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"It ran again {clock.Elapsed.TotalSeconds:0.00} s after the host began to be disposed.");
        Assert.Equal((EntryState.Running, 0), (entry!.State, entry.Crashes));

        // Half a second is usual. Work of a node that has not left comes back after the grace period, as a crash.
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, PatientNodes.Grace);
    }

    private async Task<IHost> StartAsync()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddPatience().AddSingleton(_starts)
            .AddSingleton(new WorkLimits { CancelTime = TimeSpan.FromMinutes(1), FlushTime = TimeSpan.FromMinutes(1) });
        builder.Services.AddTaskRecovery().UsePostgreSql(_database!.ConnectionString).AddWorker<Held, HeldWorker>();
        var host = builder.Build();
        await host.StartAsync(Cancellation);
        return host;
    }

    /// <summary>Work that lasts until its token is cancelled.</summary>
    [JobKind("test.held")]
    private sealed record Held;

    private sealed class HeldWorker(Starts starts) : IJobWorker<Held>
    {
        public Task WorkAsync(WorkContext<Held> context, CancellationToken cancellationToken)
        {
            starts.Add();
            return Task.Delay(Timeout.Infinite, cancellationToken);
        }
    }

    private sealed class Starts
    {
        private readonly SemaphoreSlim _count = new(0);

        public void Add() => _count.Release();

        public Task NextAsync() => _count.WaitAsync(Cancellation);
    }
}
