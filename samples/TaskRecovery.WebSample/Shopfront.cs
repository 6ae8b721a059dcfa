using System.Diagnostics;

namespace TaskRecovery.WebSample;

/// <summary>The page of the shop: buttons that make work, and one that kills the process.</summary>
internal static class Shopfront
{
    private const string Page = """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><title>Shop</title><meta name="viewport" content="width=device-width, initial-scale=1">
        <style>
        :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
        body { max-width: 38rem; margin: 10vh auto; padding: 0 1.25rem; }
        form { display: flex; gap: .75rem; align-items: center; margin: .5rem 0; }
        button { font: inherit; padding: .375rem .875rem; min-width: 15rem; text-align: left; }
        </style></head><body>
        <h1>A small shop</h1>
        <p>Everything that these buttons start is seen in the <a href="jobs/">dashboard</a>, and by programs at
            <a href="jobs/api/snapshot">jobs/api</a>. Customers order now and then by themselves.</p>
        <form method="post" action="order"><button>Place an order</button> four steps, then a mail</form>
        <form method="post" action="rush"><button>Place 300 orders</button> more than can run at once</form>
        <form method="post" action="report"><button>Write the sales report</button> about a minute, with progress and log lines</form>
        <form method="post" action="crash"><button>Kill this process</button> as by <code>kill -9</code>; it is started again</form>
        </body></html>
        """;

    public static void Map(WebApplication app)
    {
        app.MapGet("/", () => Results.Content(Page, "text/html"));
        var buttons = app.MapGroup("").AddEndpointFilter(OwnPage.RequireAsync);
        buttons.MapPost("/order", async (IJobQueue queue, CancellationToken cancellationToken) =>
        {
            await Customers.OrderAsync(queue, Random.Shared.Next(100_000, 900_000), cancellationToken);
            return Back();
        });
        buttons.MapPost("/rush", async (IJobQueue queue, CancellationToken cancellationToken) =>
        {
            for (var count = 0; count < 300; count++)
            {
                await Customers.OrderAsync(queue, Random.Shared.Next(100_000, 900_000), cancellationToken);
            }

            return Back();
        });
        buttons.MapPost("/report", async (IJobService jobs, CancellationToken cancellationToken) =>
        {
            if (await jobs.GetByNameAsync("sales-report", cancellationToken) is { } job)
            {
                await jobs.TriggerNowAsync(job.Id, cancellationToken: cancellationToken);
            }

            return Back();
        });
        buttons.MapPost("/crash", () =>
        {
            using var self = Process.GetCurrentProcess();
            self.Kill();
        });
    }

    private static IResult Back() => Results.Redirect(".");
}
