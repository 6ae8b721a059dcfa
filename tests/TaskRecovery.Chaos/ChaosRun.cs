using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Crash.Host;
using TaskRecovery.Storage;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Chaos;

/// <summary>One run: harm for a while, then peace until everything has ended, then the check.</summary>
internal static class ChaosRun
{
    private const int RestartEntries = 10_000;
    private const int LongestOpenMs = 8000;

    // SQLite has one writer: while the transaction is open, nothing else is stored.
    private const int LongestOpenMsOnSqlite = 300;
    private static readonly TimeSpan DrainLimit = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan DrainLimitWithoutARule = TimeSpan.FromMinutes(1);

    public static async Task<int> RunAsync(ChaosOptions options, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        var random = new Random(options.Seed);
        await using var store = await ChaosStore.OpenAsync(options);
        await using var client = BuildClient(store);
        var queue = client.GetRequiredService<IQueueStore>();
        await queue.PrepareAsync(cancellationToken);
        await store.CreateEffectsAsync();

        await using var fleet = new Fleet(store, options, new Random(random.Next()));
        var saboteur = new Saboteur(store, fleet, options, random);
        var producer = new Producer(
            client.GetRequiredService<IJobQueue>(), new Random(random.Next()),
            options.Rate, options.IsPostgres ? LongestOpenMs : LongestOpenMsOnSqlite);
        var changer = new JobChanger(client.GetRequiredService<IJobService>(), new Random(random.Next()));
        var policies = new PolicyJobs(client.GetRequiredService<IJobService>());
        await policies.CreateAsync(cancellationToken);
        var watch = new InvariantWatch(queue);

        // A failover without a synchronous standby loses operations, as it loses entries.
        var bulk = options.Scenario is ChaosScenario.Failover or ChaosScenario.Restarts ? null : new BulkOperator(
            client.GetRequiredService<IJobQueue>(), client.GetRequiredService<IQueueOperator>(), new Random(random.Next()));
        var weathers = Weather.For(options);

        var view = new LiveView(options, fleet, producer, clock);
        await view.ShowAsync(() => options.Scenario == ChaosScenario.Restarts
            ? RestartAsync(
                options, fleet, saboteur, producer, client.GetRequiredService<IJobQueue>(), weathers[0], clock, cancellationToken)
            : HarmAsync(options, fleet, saboteur, token => Task.WhenAll(
                producer.RunAsync(token), changer.RunAsync(token), watch.RunAsync(token),
                bulk?.RunAsync(token) ?? Task.CompletedTask), weathers, clock, cancellationToken));
        Console.WriteLine("peace: waiting until everything has ended");
        var limit = options.Without is null ? DrainLimit : DrainLimitWithoutARule;
        var drained = await DrainAsync(fleet, client, store, bulk, limit, cancellationToken);
        var vitals = await ReadVitalsAsync(fleet, cancellationToken);
        await fleet.StopAllAsync();

        var lost = new LostWindows(fleet.Harms);
        List<string> others =
        [
            .. saboteur.BadCopies,
            .. watch.Found,
            .. await JobCheck.FindBrokenAsync(changer, client.GetRequiredService<ITaskService>(), lost, cancellationToken),
            .. await policies.FindBrokenAsync(store),
            .. await BulkCheck.FindBrokenAsync(store),
        ];
        if (await store.CheckIntegrityAsync() is { } broken)
        {
            others.Add(broken);
        }

        var findings = await new Checker(store, queue, producer, fleet, options, lost).CheckAsync(
            KindsOf(options, weathers), drained, vitals, others);
        Report.Print(options, fleet, producer, findings, clock.Elapsed);
        if (options.Json is { } path)
        {
            await Report.WriteJsonAsync(path, options, fleet, producer, findings, clock.Elapsed);
        }

        if (findings.Violations.Count == 0)
        {
            return 0;
        }

        store.KeepsJournals = true;
        Console.WriteLine($"the journals are kept in {store.JournalFolder}");
        return 1;
    }

    private static ServiceProvider BuildClient(ChaosStore store)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        ProbeHost.AddJobs(ProbeHost.AddClient(services, store.CreateClientSettings()));
        return services.BuildServiceProvider();
    }

    private static IEnumerable<string> KindsOf(ChaosOptions options, IReadOnlyList<Weather> weathers)
    {
        var kinds = weathers.SelectMany(weather => weather.Kinds).Select(kind => kind.Kind).Distinct(StringComparer.Ordinal);
        return options.Scenario is not (ChaosScenario.All or ChaosScenario.Failover)
            ? kinds
            : [
                .. kinds, HarmKinds.Start, HarmKinds.ClockError, .. options.IsPostgres ? [] : new[] { HarmKinds.NoFileLocks },
                .. HarmKinds.FaultPoints.Select(point => HarmKinds.FaultPrefix + point),
            ];
    }

    /// <summary>One weather after the other until there were enough kills, and enough of every kind of harm. What takes long is over before
    /// the weather changes.</summary>
    private static async Task HarmAsync(
        ChaosOptions options, Fleet fleet, Saboteur saboteur, Func<CancellationToken, Task> work,
        IReadOnlyList<Weather> weathers, Stopwatch clock, CancellationToken cancellationToken)
    {
        using var peace = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var producing = work(peace.Token);
        fleet.StartVeterans();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));

        // A short run has all weathers too.
        var part = Math.Min(1, options.Limit / weathers.Aggregate(TimeSpan.Zero, (sum, weather) => sum + weather.Lasts));
        for (var turn = 0; IsOn(); turn++)
        {
            var weather = weathers[turn % weathers.Count];
            saboteur.Enter(weather);
            var changes = clock.Elapsed + (weather.Lasts * part);
            var strikes = clock.Elapsed;
            while (IsOn() && (clock.Elapsed < changes || saboteur.UnderWay > 0))
            {
                fleet.Replenish();
                if (clock.Elapsed >= strikes && clock.Elapsed < changes)
                {
                    await saboteur.StrikeAsync(weather);
                    strikes = clock.Elapsed + saboteur.NextPause(weather);
                }

                await timer.WaitForNextTickAsync(cancellationToken);
            }
        }

        await peace.CancelAsync();
        await producing;
        await saboteur.FinishAsync();

        bool IsOn() => clock.Elapsed < options.Limit
            && (fleet.Kills < options.Kills || fleet.FindRare(KindsOf(options, weathers), options.MinimumEach).Count > 0);
    }

    /// <summary>Restarts the server until 10,000 entries with steps have ended.</summary>
    private static async Task RestartAsync(
        ChaosOptions options, Fleet fleet, Saboteur saboteur, Producer producer,
        IJobQueue queue, Weather weather, Stopwatch clock, CancellationToken cancellationToken)
    {
        await producer.StoreStepsAsync(RestartEntries, steps: 4, holdMs: 300, cancellationToken);
        fleet.StartVeterans();
        saboteur.Enter(weather);
        var random = new Random(options.Seed);
        while (clock.Elapsed < options.Limit)
        {
            fleet.Replenish();
            if (await UntilAsync(queue, static counts
                => counts is { Due.Value: 0, Running.Value: 0 }, TimeSpan.FromSeconds(random.Next(5, 41)), cancellationToken))
            {
                return;
            }

            await saboteur.StrikeAsync(weather);
            await saboteur.FinishAsync();
        }
    }

    /// <summary>Lets the veterans and a few new workers finish what is left.</summary>
    private static async Task<bool> DrainAsync(
        Fleet fleet, ServiceProvider client, ChaosStore store, BulkOperator? bulk, TimeSpan limit, CancellationToken cancellationToken)
    {
        await fleet.StopYoungAsync();
        var jobs = client.GetRequiredService<IJobService>();
        var paused = new List<string>();
        foreach (var job in (await jobs.ListAllAsync(cancellationToken)).Where(job => job.Schedule.At is null))
        {
            await jobs.PauseAsync(job.Id, cancellationToken: cancellationToken);
            paused.Add(job.Id.ToString());
        }

        for (var count = 0; count < 3; count++)
        {
            fleet.Start(settings => settings with { JobEvery = null, EnqueueEvery = null });
        }

        if (bulk is not null && !await bulk.TryFinishAsync(limit, cancellationToken))
        {
            Console.WriteLine($"after {limit.TotalMinutes:0.0} minutes a bulk operation still runs");
            return false;
        }

        var queue = client.GetRequiredService<IJobQueue>();
        if (await UntilAsync(
            queue, static counts => counts is { Due.Value: 0, Later.Value: 0, Running.Value: 0 }, limit, cancellationToken,
            () => CancelRequestedRunsAsync(store, queue, paused, cancellationToken)))
        {
            return true;
        }

        Console.WriteLine(
            $"after {limit.TotalMinutes:0.0} minutes there is still {await queue.CountAsync(cancellationToken: cancellationToken)}");
        return false;
    }

    // A run that was requested waits for the end of the pause, which does not come.
    private static async Task CancelRequestedRunsAsync(
        ChaosStore store, IJobQueue queue, List<string> paused, CancellationToken cancellationToken)
    {
        foreach (var row in await store.QueryAsync(
            $"select e.id, e.args from {store.Prefix}waiting w join {store.Prefix}entries e on e.id = w.id"))
        {
            if (row[1]?.ToString() is { } args && paused.Exists(job => args.Contains(job, StringComparison.OrdinalIgnoreCase)))
            {
                await queue.CancelAsync(Convert.ToInt64(row[0], CultureInfo.InvariantCulture), cancellationToken);
            }
        }
    }

    /// <summary>Counts twice a second.</summary>
    /// <returns>Whether it came true within the limit.</returns>
    private static async Task<bool> UntilAsync(
        IJobQueue queue, Predicate<QueueCounts> condition, TimeSpan limit, CancellationToken cancellationToken, Func<Task>? eachTime = null)
    {
        var clock = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
        while (clock.Elapsed < limit && await timer.WaitForNextTickAsync(cancellationToken))
        {
            if (condition(await queue.CountAsync(cancellationToken: cancellationToken)))
            {
                return true;
            }

            await (eachTime?.Invoke() ?? Task.CompletedTask);
        }

        return false;
    }

    private static async Task<IReadOnlyList<Vitals>> ReadVitalsAsync(Fleet fleet, CancellationToken cancellationToken)
    {
        // New workers have to have been idle for a moment, as the old ones are.
        await Task.Delay(TimeSpan.FromSeconds(3), cancellationToken);

        // Compare what they hold, not what the last large batch made the heap grow to.
        foreach (var worker in fleet.Alive)
        {
            Signal.Collect.SendTo(worker.Id);
            await worker.Process.WaitForLineAsync("collected");
        }

        return [.. fleet.Alive.Select(Vitals.Read)];
    }
}
