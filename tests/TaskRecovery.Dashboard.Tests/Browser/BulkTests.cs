using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;
using TaskRecovery.Dashboard.Tests.Support;
using static Microsoft.Playwright.Assertions;

namespace TaskRecovery.Dashboard.Tests.Browser;

/// <summary>Thousands of entries over a real store: cancelled, stopped on the way, and put back where they were.</summary>
public sealed class BulkTests(Chromium chromium)
{
    private const int Entries = 5_000;
    private const int Page = 1_000;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stopped_operation_is_undone_with_the_old_due_times(bool isPostgres)
    {
        await using var store = new RealStore(isPostgres);
        await using var app = await StartAsync(store);
        var (queue, operate) = (app.Services.GetRequiredService<IJobQueue>(), app.Services.GetRequiredService<IQueueOperator>());
        await queue.EnqueueManyAsync(
            Enumerable.Range(1, Entries).Select(
                number => EnqueueRequest.Create(new Mail(number), new EnqueueOptions { RunAfter = TimeSpan.FromMinutes(60 + number) })),
            cancellationToken: Cancellation);
        var before = await DueTimesAsync(queue);
        await using var visitor = await Visitor.ComeAsync(chromium, new Uri(app.Urls.First()));
        var page = visitor.Page;

        await page.GotoAsync("jobs/entries?state=waiting");
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Cancel all" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Cancel 5,000 entries" }).ClickAsync();
        await Expect(page.Locator(".toasts")).ToContainTextAsync("started");
        var operation = Assert.Single((await operate.ListOperationsAsync(new OperationQuery(), Cancellation)).Operations).Id;
        await operate.ContinueAsync(operation, Cancellation);
        await operate.ContinueAsync(operation, Cancellation);
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Stop" }).ClickAsync();
        await Expect(page.Locator(".toasts")).ToContainTextAsync("stopped");
        Assert.Equal(OperationState.Stopped, (await operate.ContinueAsync(operation, Cancellation))?.State);
        await Expect(page.Locator(".facts")).ToContainTextAsync("1,000 of 5,000");

        await page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Undo" }).ClickAsync();
        await Expect(page.Locator(".lead")).ToContainTextAsync("1,000 entries");
        Assert.Null((await operate.FindOperationAsync(operation, null, Cancellation))!.UndoneBy);
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Undo 1,000 entries" }).ClickAsync();
        await Expect(page.Locator(".toasts")).ToContainTextAsync("being undone");
        var undo = (await operate.FindOperationAsync(operation, null, Cancellation))!.UndoneBy!.Value;
        while (await operate.ContinueAsync(undo, Cancellation) is { State: OperationState.Running })
        {
        }

        await page.GotoAsync($"jobs/operations/{undo}");
        await Expect(page.Locator(".facts")).ToContainTextAsync("1,000 of 1,000");
        Assert.Equal(before, await DueTimesAsync(queue));
        Assert.Equal([], visitor.Complaints);
    }

    // No node runs in this process, so that a step is done when the test says so, as a node elsewhere would.
    private static async Task<WebApplication> StartAsync(RealStore store)
    {
        var builder = RealApp.NewBuilder();
        (await store.UseAsync(builder.Services.AddTaskRecovery())).AddKind<Mail>("mail");
        foreach (var loop in builder.Services.Where(IsLoop).ToArray())
        {
            builder.Services.Remove(loop);
        }

        builder.Services.AddAuthorization(
            static options => options.AddPolicy("everyone", static policy => policy.RequireAssertion(static _ => true)));
        builder.Services.AddTaskRecoveryDashboard(static options => options.OperatePolicy = options.DataPolicy = "everyone");
        var app = builder.Build();
        app.MapTaskRecovery("/jobs").AllowAnonymous();
        await app.Services.GetRequiredService<IStoreMigrator>().MigrateAsync(Cancellation);
        await app.StartAsync(Cancellation);
        return app;
    }

    private static bool IsLoop(ServiceDescriptor service)
        => service.ServiceType == typeof(IHostedService)
            && service.ImplementationFactory?.Method.Module.Assembly == typeof(IJobQueue).Assembly;

    private static async Task<Dictionary<long, DateTimeOffset?>> DueTimesAsync(IJobQueue queue)
    {
        var due = new Dictionary<long, DateTimeOffset?>();
        long? before = null;
        do
        {
            var page = await queue.ListAsync(new EntryFilter { State = EntryState.Waiting, Limit = Page, Before = before }, Cancellation);
            foreach (var entry in page.Entries)
            {
                due.Add(entry.Id, entry.RunAt);
            }

            before = page.NextBefore;
        }
        while (before is not null);

        Assert.Equal(Entries, due.Count);
        return due;
    }

    private sealed record Mail(int Number);
}
