using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TaskRecovery;

// The smallest service with a durable queue: it counts to ten. Stop it (Ctrl-C or kill -9) and start it again: it continues where it was. A
// number may be printed twice, and none is skipped.
var builder = Host.CreateApplicationBuilder();
builder.Services.AddTaskRecovery()
    .UseSqlite($"Data Source={args.FirstOrDefault("minimal.db")}")
    .AddWorker<Count, CountWorker>();
using var host = builder.Build();
Console.WriteLine($"Process {Environment.ProcessId}: stop it with Ctrl-C or kill -9 {Environment.ProcessId}.");
await host.StartAsync();

var queue = host.Services.GetRequiredService<IJobQueue>();
var result = await queue.EnqueueAsync(new Count(To: 10), new EnqueueOptions { UniqueKey = "count" });
Console.WriteLine(result.IsDuplicate ? $"Entry {result.Id} continues." : $"Entry {result.Id} is stored.");
await host.WaitForShutdownAsync();

[JobKind("count")]
internal sealed record Count(int To);

internal sealed class CountWorker(IHostApplicationLifetime lifetime) : IJobWorker<Count>
{
    public async Task WorkAsync(WorkContext<Count> context, CancellationToken cancellationToken)
    {
        for (var next = await context.GetCheckpointAsync<int>(cancellationToken); next < context.Args.To;)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(500), cancellationToken);
            Console.WriteLine($"{++next} of {context.Args.To}");
            await context.SaveCheckpointAsync(next, cancellationToken);   // when the host stops, the run ends here
        }

        lifetime.StopApplication();
    }
}
