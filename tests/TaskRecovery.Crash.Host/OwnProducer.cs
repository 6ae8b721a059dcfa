using Microsoft.Extensions.Hosting;

namespace TaskRecovery.Crash.Host;

/// <summary>Enqueues in the process that works: what would start there at once is stored as claimed. What was acknowledged is in the
/// journal.</summary>
internal sealed class OwnProducer(IJobQueue queue, Journal journal, HostSettings settings) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(settings.EnqueueEvery!.Value);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                var (what, result) = Random.Shared.Next(4) switch
                {
                    0 => ("steps", await queue.EnqueueAsync(new StepsProbe(3, 50), cancellationToken: stoppingToken)),
                    1 => ("transaction", await queue.EnqueueAsync(new TransactionProbe(50), cancellationToken: stoppingToken)),
                    _ => ("plain", await queue.EnqueueAsync(new PlainProbe(Random.Shared.Next(20, 400)), cancellationToken: stoppingToken)),
                };
                journal.Write(result.Id, 0, JournalEvents.Acknowledged, what);
            }
            catch (StoreUnavailableException)
            {
                // Not confirmed: it may be stored or not.
            }
        }
    }
}
