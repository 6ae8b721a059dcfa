using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TaskRecovery.Testing.Hosts;
using TaskRecovery.Testing.Runs;
using TaskRecovery.Testing.Scripts;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Testing.Tests.Parity;

/// <summary>A worker does the same without a store, in an application under test, and in a real process that is really killed.</summary>
public sealed class ParityTests
{
    private const int MaxAttempts = 3;
    private const int Killed = 128 + 9;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Random_scripts_end_the_same_without_a_store_and_in_an_application()
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var script = Script.Random(new Random(seed));

            var expected = await RunWithoutStoreAsync(script);
            var actual = await RunInApplicationAsync(script);

            Assert.True(expected == actual, $"Seed {seed}, {string.Join(' ', script.Operations)}, crash in {script.CrashIn}:\nwithout a "
                + $"store: {expected}\nin an application: {actual}");
        }
    }

    [Fact]
    public async Task Random_scripts_end_the_same_in_a_process_that_is_killed()
    {
        const int FirstSeed = 1_000;
        Script[] scripts = [.. Enumerable.Range(FirstSeed, 12).Select(static seed => Script.Random(new Random(seed)))];
        using var folder = new TestFolder();
        var effects = Path.Combine(Path.GetDirectoryName(folder.DatabasePath)!, "effects");

        var kills = await RunProcessesAsync(folder.DatabasePath, effects, FirstSeed, scripts.Length);

        using var host = Client(folder.DatabasePath);
        await host.StartAsync(Cancellation);
        var queue = host.Services.GetRequiredService<IJobQueue>();
        var expected = new List<string>();
        foreach (var (index, script) in scripts.Index())
        {
            var one = await RunWithoutStoreAsync(script);
            expected.AddRange(one.Effects.Split('\n', StringSplitOptions.RemoveEmptyEntries));
            var entry = (await queue.FindAsync(index + 1, Cancellation))!;
            Assert.Equal(one.End, EndOf(entry));
        }

        Assert.Equal(expected, await File.ReadAllLinesAsync(effects, Cancellation));
        Assert.Equal(kills, scripts.Count(static script => Crashes(script)));
        await host.StopAsync(Cancellation);
    }

    // A crash in a step that is not reached in the first attempt does not happen.
    private static bool Crashes(Script script)
        => script.CrashIn is { } step && !script.Operations.Take(step).Contains(ScriptOperation.ThrowOnce);

    private static Place PlaceOf(Script script)
        => script.CrashesAfterEffect
            ? Place.AtEndOfStep(ScriptWorker.StepName(script.CrashIn!.Value))
            : Place.InStep(ScriptWorker.StepName(script.CrashIn!.Value));

    private static string EndOf(QueueEntry entry)
        => $"{entry.State} {entry.Reason} attempt {entry.Attempt} crashes {entry.Crashes} result {entry.Result}";

    private static async Task<Outcome> RunWithoutStoreAsync(Script script)
    {
        var effects = new List<string>();
        var options = new WorkerTestOptions { MaxAttempts = MaxAttempts };
        var entry = EntryUnderTest.Create(script, options);
        CrashPoint? crashAt = Crashes(script) ? new CrashPoint(PlaceOf(script), 1) : null;
        TestRun? last = null;
        while (!entry.HasEnded)
        {
            var runner = new InstanceRunner<Script>(new ScriptWorker(effects.Add, static () => { }), [], entry.Json);
            var (attempt, crashes) = (entry.Attempt, entry.Crashes);
            var run = await RunUnderTest.RunAsync(entry, runner, options, crashAt, Cancellation);
            crashAt = null;
            last = run.Result;
            if (last is null)
            {
                entry.Crashed(PlaceOf(script));
            }
            else
            {
                entry.Ended(last.End);
            }

            if (entry.HasEnded)
            {
                return new Outcome(
                    string.Join('\n', effects), $"{last!.End} {last.Reason} attempt {attempt} crashes {crashes} result {last.ResultJson}");
            }
        }

        throw new InvalidOperationException("The entry had ended before its first run.");
    }

    private static async Task<Outcome> RunInApplicationAsync(Script script)
    {
        var effects = new List<string>();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(new ScriptWorker(effects.Add, static () => { }));
        builder.Services.AddTaskRecovery().AddWorker<Script, ScriptWorker>(options => options.MaxAttempts = MaxAttempts);
        builder.Services.AddTaskRecoveryTesting();
        using var host = builder.Build();
        await host.StartAsync(Cancellation);
        var test = host.Services.GetTaskRecoveryTest();
        var queue = host.Services.GetRequiredService<IJobQueue>();
        var (id, _) = await queue.EnqueueAsync(script, cancellationToken: Cancellation);

        if (Crashes(script))
        {
            await test.KillNodeAsync(PlaceOf(script), cancellationToken: Cancellation);
        }

        await test.DrainAsync(new DrainOptions { AllowFailures = true, IncludeRetries = true }, Cancellation);

        var entry = await queue.FindAsync(id, Cancellation);
        await host.StopAsync(Cancellation);
        return new Outcome(string.Join('\n', effects), EndOf(entry!));
    }

    private static IHost Client(string database)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.ClearProviders();
        builder.Services.AddTaskRecovery().UseSqlite($"Data Source={database}").AddKind<Script>();
        return builder.Build();
    }

    private static async Task<int> RunProcessesAsync(string database, string effects, int seed, int scripts)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "TaskRecovery.Testing.Scripts.dll");
        for (var kills = 0; ; kills++)
        {
            await using var process = ChildProcess.StartDotnet(program, [database, effects, $"{seed}", $"{scripts}"]);
            var exitCode = await process.WaitForExitAsync();
            if (exitCode == 0)
            {
                return kills;
            }

            Assert.True(exitCode == Killed
                && kills < scripts, $"The process ended with {exitCode}, and not by its own kill:\n{process.Output}");
        }
    }

    private sealed record Outcome(string Effects, string End);
}
