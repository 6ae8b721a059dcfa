using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TaskRecovery;
using TaskRecovery.Testing;

// The application that a first user of TaskRecovery.Testing has, and what its tests do.
[JobKind("greeting")]
public sealed record Greeting(string Name);

public sealed class Greeted
{
    public List<string> Names { get; } = [];
}

public sealed class GreetingWorker(Greeted greeted) : IJobWorker<Greeting>
{
    public async Task WorkAsync(WorkContext<Greeting> context, CancellationToken cancellationToken)
        => await context.StepAsync(
            "greet",
            _ =>
            {
                greeted.Names.Add(context.Args.Name);
                return Task.CompletedTask;
            },
            cancellationToken);
}

public static class GreetingScenario
{
    public static async Task RunWorkerAsync()
    {
        var greeted = new Greeted();

        var run = await WorkerTest.RunAsync(new GreetingWorker(greeted), new Greeting("world"));

        run.ShouldComplete();
        if (greeted.Names is not ["world"])
        {
            throw new InvalidOperationException($"Greeted: {string.Join(", ", greeted.Names)}.");
        }
    }

    public static async Task CrashEverywhereAsync()
        => await WorkerTest.CrashEverywhereAsync(
            world: () => new Greeted(),
            worker: world => new GreetingWorker(world),
            args: new Greeting("world"),
            check: world =>
            {
                if (world.Names.Count != 1)
                {
                    throw new InvalidOperationException($"Greeted {world.Names.Count} times.");
                }
            });

    public static async Task RunApplicationAsync()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Services.AddSingleton<Greeted>();
        builder.Services.AddTaskRecovery().AddWorker<Greeting, GreetingWorker>();
        builder.Services.AddTaskRecoveryTesting();
        using var host = builder.Build();
        await host.StartAsync();
        var test = host.Services.GetTaskRecoveryTest();

        await host.Services.GetRequiredService<IJobQueue>().EnqueueAsync(new Greeting("world"));
        await test.ShouldHaveEnqueuedAsync<Greeting>(greeting => greeting.Name == "world");
        await test.KillNodeAsync(at: Place.AfterStep("greet"));
        var drained = await test.DrainAsync();

        if (drained.Runs is not [{ End: RunEnd.Completed }] || host.Services.GetRequiredService<Greeted>().Names.Count != 1)
        {
            throw new InvalidOperationException($"The entry should have completed after the crash: {drained}");
        }

        await host.StopAsync();
    }
}
