using Microsoft.Extensions.DependencyInjection;

namespace TaskRecovery.Testing.Tests.Samples;

/// <summary>The samples of docs/testing.md with an application.</summary>
public sealed class ApplicationSampleTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_order_sends_a_mail()
    {
        await using var shop = new Shop();
        using var client = shop.CreateClient();
        var test = shop.Services.GetTaskRecoveryTest();

        (await client.PostAsync(new Uri("/orders?customer=ada@example.org", UriKind.Relative), content: null, Cancellation))
            .EnsureSuccessStatusCode();

        await test.ShouldHaveEnqueuedAsync<SendMail>(mail => mail.To == "ada@example.org", cancellationToken: Cancellation);
        await test.ShouldNotHaveEnqueuedAsync<Refund>(cancellationToken: Cancellation);
        var drained = await test.DrainAsync(cancellationToken: Cancellation);
        Assert.Single(drained.Runs);
        await test.AdvanceAsync(TimeSpan.FromHours(1), cancellationToken: Cancellation);
        Assert.Single(shop.Mailer.Sent);
    }

    [Fact]
    public async Task A_kill_after_a_step_sends_one_mail()
    {
        await using var shop = new Shop();
        var test = shop.Services.GetTaskRecoveryTest();
        await shop.Services.GetRequiredService<IJobQueue>().EnqueueAsync(
            new SendMail("ada@example.org", "Hello"), cancellationToken: Cancellation);

        await test.KillNodeAsync(at: Place.AfterStep("render"), Cancellation);
        await test.DrainAsync(cancellationToken: Cancellation);
        await test.RestartAsync(Cancellation);

        Assert.Single(shop.Mailer.Sent);
    }
}
