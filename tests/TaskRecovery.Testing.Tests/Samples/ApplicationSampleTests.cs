using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;

namespace TaskRecovery.Testing.Tests.Samples;

/// <summary>The samples of docs/testing.md with an application.</summary>
public sealed class ApplicationSampleTests
{
    [Fact]
    public async Task An_order_sends_a_mail()
    {
        await using var shop = new Shop();
        using var client = shop.CreateClient();
        var order = new Order("ada@example.org");

        var test = shop.Services.GetTaskRecoveryTest();
        await client.PostAsJsonAsync("/orders", order);

        await test.ShouldHaveEnqueuedAsync<SendMail>(mail => mail.To == "ada@example.org");
        await test.ShouldNotHaveEnqueuedAsync<Refund>();
        var drained = await test.DrainAsync();
        await test.AdvanceAsync(TimeSpan.FromHours(1));

        Assert.Single(drained.Runs);
        Assert.Single(shop.Mailer.Sent);
    }

    [Fact]
    public async Task A_kill_after_a_step_sends_one_mail()
    {
        await using var shop = new Shop();
        var (test, mailer) = (shop.Services.GetTaskRecoveryTest(), shop.Mailer);
        await shop.Services.GetRequiredService<IJobQueue>().EnqueueAsync(new SendMail("ada@example.org", "Hello"));

        await test.KillNodeAsync(at: Place.AfterStep("render"));
        await test.DrainAsync();
        Assert.Single(mailer.Sent);

        await test.RestartAsync();
        Assert.Single(mailer.Sent);
    }
}
