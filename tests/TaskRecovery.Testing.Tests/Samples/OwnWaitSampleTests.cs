using System.Net;

namespace TaskRecovery.Testing.Tests.Samples;

/// <summary>The example of docs/configuration.md with waits of its own. PageTests compares the page with this file.</summary>
public sealed class OwnWaitSampleTests
{
    public static TheoryData<Exception, int, int?> Failures => new()
    {
        { new HttpRequestException("busy", null, HttpStatusCode.TooManyRequests), 1, 5 },
        { new HttpRequestException("busy", null, HttpStatusCode.TooManyRequests), 3, 15 },
        { new TimeoutException(), 1, 1 },
        { new TimeoutException(), 2, 5 },
        { new TimeoutException(), 9, 60 },
        { new HttpRequestException("no such host"), 1, null },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task The_worker_chooses_the_wait_before_the_next_attempt(Exception failure, int attempt, int? minutes)
    {
        var run = await WorkerTest.RunAsync(
            new FailingMailWorker(failure),
            new SendMail("ada@example.org", "Hello"),
            options => options with { Attempt = attempt },
            TestContext.Current.CancellationToken);

        run.ShouldRetry(after: minutes is { } wait ? TimeSpan.FromMinutes(wait) : null);
        Assert.Equal(minutes is null, run.Delay < TimeSpan.FromMinutes(1));
    }

    private sealed class FailingMailWorker(Exception failure) : IJobWorker<SendMail>
    {
        private static readonly TimeSpan[] Waits = [TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromHours(1)];

        public Task WorkAsync(WorkContext<SendMail> context, CancellationToken cancellationToken) => throw failure;

        public TimeSpan? NextRetry(WorkContext<SendMail> context, Exception exception) => exception switch
        {
            HttpRequestException { StatusCode: HttpStatusCode.TooManyRequests } => TimeSpan.FromMinutes(5 * context.Attempt),
            TimeoutException => Waits[Math.Min(context.Attempt, Waits.Length) - 1],
            _ => null,   // the default: RetryBase and RetryMax
        };
    }
}
