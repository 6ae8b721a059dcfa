using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Crash.Host;
using TaskRecovery.Storage;

namespace TaskRecovery.Chaos;

/// <summary>One run: harm for a while, then peace until everything has ended, then the check.</summary>
internal static class ChaosRun
{
    private static readonly TimeSpan DrainLimit = TimeSpan.FromMinutes(3);

    public static async Task<int> RunAsync(ChaosOptions options, CancellationToken cancellationToken)
    {
        Console.WriteLine($"store {options.Store}, seed {options.Seed}: until {options.Kills} kills or {options.Limit.TotalMinutes:0.#} minutes");
        var clock = Stopwatch.StartNew();
        var random = new Random(options.Seed);
        await using var store = await ChaosStore.OpenAsync(options);
        await using var client = BuildClient(store);
        var queue = client.GetRequiredService<IQueueStore>();
        await queue.PrepareAsync(cancellationToken);
        await store.CreateEffectsAsync();

        await using var fleet = new Fleet(store, options, new Random(random.Next()));
        var saboteur = new Saboteur(store, fleet, random);
        var producer = new Producer(client.GetRequiredService<IJobQueue>(), new Random(random.Next()), options.Rate);

        await HarmAsync(options, fleet, saboteur, producer, clock, cancellationToken);
        var drained = await DrainAsync(store, fleet, client, cancellationToken);
        await fleet.StopAllAsync();

        var findings = await new Checker(store, queue, producer, fleet, options).CheckAsync(saboteur, drained);
        Report.Print(options, fleet, producer, findings, clock.Elapsed);
        if (options.Json is { } path)
        {
            await Report.WriteJsonAsync(path, options, fleet, producer, findings, clock.Elapsed);
        }

        return findings.Violations.Count == 0 ? 0 : 1;
    }

    private static ServiceProvider BuildClient(ChaosStore store)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        ProbeHost.AddClient(services, store.CreateSettings(network: null));
        return services.BuildServiceProvider();
    }

    private static async Task HarmAsync(ChaosOptions options, Fleet fleet, Saboteur saboteur, Producer producer, Stopwatch clock, CancellationToken cancellationToken)
    {
        using var peace = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var producing = producer.RunAsync(peace.Token);
        fleet.Replenish();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
        var lastShown = TimeSpan.Zero;
        while (fleet.Kills < options.Kills && clock.Elapsed < options.Limit && await timer.WaitForNextTickAsync(cancellationToken))
        {
            await saboteur.StrikeAsync();
            fleet.Replenish();
            if (clock.Elapsed - lastShown > TimeSpan.FromSeconds(Console.IsOutputRedirected ? 15 : 1))
            {
                lastShown = clock.Elapsed;
                var last = fleet.Harms.Count > 0 ? fleet.Harms[^1].Kind : "-";
                Console.WriteLine($"{clock.Elapsed:mm\\:ss}  kills {fleet.Kills,5}  alive {fleet.Alive.Count,2}  acknowledged {producer.Acknowledged.Count,6}  unconfirmed {producer.Unconfirmed,4}  last: {last}");
            }
        }

        await peace.CancelAsync();
        await producing;
        await saboteur.FinishAsync();
    }

    /// <summary>Lets a few unharmed workers finish what is left.</summary>
    private static async Task<bool> DrainAsync(ChaosStore store, Fleet fleet, ServiceProvider client, CancellationToken cancellationToken)
    {
        Console.WriteLine("peace: waiting until everything has ended");
        await fleet.StopAllAsync();
        var jobs = client.GetRequiredService<IJobService>();
        foreach (var job in await jobs.ListAsync(cancellationToken))
        {
            await jobs.PauseAsync(job.Id, cancellationToken);
        }

        for (var count = 0; count < 3; count++)
        {
            fleet.Start(settings => settings with { JobEvery = null, Concurrency = 30 });
        }

        var queue = client.GetRequiredService<IJobQueue>();
        var clock = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
        while (clock.Elapsed < DrainLimit && await timer.WaitForNextTickAsync(cancellationToken))
        {
            if (await queue.CountAsync(cancellationToken: cancellationToken) is { Waiting: 0, Scheduled: 0, Running: 0 })
            {
                return true;
            }
        }

        Console.WriteLine($"after {clock.Elapsed.TotalMinutes:0.0} minutes there is still {await queue.CountAsync(cancellationToken: cancellationToken)}; the store of this run is {store.JournalFolder}");
        return false;
    }
}
