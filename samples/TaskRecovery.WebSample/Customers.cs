namespace TaskRecovery.WebSample;

/// <summary>Customers who order by themselves, so that there is something to see.</summary>
internal sealed class Customers(IJobQueue queue, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(800);

    private int _order = Random.Shared.Next(10_000, 90_000);

    /// <summary>Stores an order and the work that follows from it.</summary>
    public static async Task OrderAsync(IJobQueue queue, int order, CancellationToken cancellationToken)
    {
        var customer = $"customer-{order % 97}@example.org";
        var metadata = new Dictionary<string, string>
        {
            ["tenant"] = order % 3 == 0 ? "acme"
            : "globex",
            ["channel"] = order % 2 == 0 ? "web" : "app",
        };
        var total = order % 41 == 0 ? 0 : Random.Shared.Next(500, 30_000) / 100m;
        await queue.EnqueueAsync(new ConfirmOrder(
            order, customer, total), new EnqueueOptions { UniqueKey = $"order-{order}", Metadata = metadata }, cancellationToken);
        if (order % 3 == 0)
        {
            await queue.EnqueueAsync(new ResizePicture(
                order % 400, 1_280), new EnqueueOptions { Queue = "pictures", Priority = 7 }, cancellationToken);
        }

        if (order % 5 == 0)
        {
            await queue.EnqueueAsync(
                new SendMail(customer, "How was your order?"),
                new EnqueueOptions { Queue = "mail", RunAfter = TimeSpan.FromMinutes(2 + (order % 30)) }, cancellationToken);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await queue.EnqueueAsync(new SendDigest(
            "everyone@example.org"), new EnqueueOptions { Queue = "mail", UniqueKey = "digest" }, stoppingToken);
        using var timer = new PeriodicTimer(Pause, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await OrderAsync(queue, _order++, stoppingToken);
            }
            catch (StoreUnavailableException)
            {
                // A customer comes back later.
            }
        }
    }
}
