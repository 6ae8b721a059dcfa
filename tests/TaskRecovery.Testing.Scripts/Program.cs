using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TaskRecovery;
using TaskRecovery.Testing.Scripts;
using TaskRecovery.TestSupport;

// A process that runs random scripts, one after the other, and kills itself where they say so. The next process continues. Arguments: the
// database, the file of effects, the first seed, and the number of scripts.
ParentProcess.ExitWhenItIsGone();
var (database, effects) = (args[0], args[1]);
var (seed, count) = (int.Parse(args[2], CultureInfo.InvariantCulture), int.Parse(args[3], CultureInfo.InvariantCulture));
var builder = Host.CreateEmptyApplicationBuilder(null);
builder.Logging.ClearProviders();
builder.Services.AddSingleton(new ScriptWorker(
    effect => File.AppendAllText(effects, effect + "\n"),
    () =>
    {
        Signal.Kill.SendTo(Environment.ProcessId);
        new ManualResetEvent(false).WaitOne();
    }));

// A machine that stands still must not end a claim: only the kills of the scripts do.
builder.Services.AddTaskRecovery(options => (options.NodeName, options.Node.Lease) = ("scripts", TimeSpan.FromMinutes(5)))
    .UseSqlite($"Data Source={database}", options => options.Synchronous = SqliteSynchronous.Normal)
    .AddQueue("default", concurrency: 1, prefetch: 0)
    .AddWorker<Script, ScriptWorker>(options => options.MaxAttempts = 3);
using var host = builder.Build();
await host.StartAsync();

var queue = host.Services.GetRequiredService<IJobQueue>();
for (var id = 1; id <= count; id++)
{
    // Only when the outcome of the last entry is stored: a kill also takes what is not.
    if (await queue.FindAsync(id) is null)
    {
        await queue.EnqueueAsync(Script.Random(new Random(seed + id - 1)));
    }

    while ((await queue.FindAsync(id))?.EndedAt is null)
    {
        await Task.Delay(5);
    }
}

await host.StopAsync();
