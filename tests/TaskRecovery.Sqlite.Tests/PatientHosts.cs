using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TaskRecovery.Claims;

namespace TaskRecovery.Sqlite.Tests;

/// <summary>Hosts for tests that are not about how soon a node is dead or how long a stop waits.</summary>
internal static class PatientHosts
{
    /// <summary>By default, a node that a busy machine stops for seconds loses what it runs, and a stop gives up what is not stored after
    /// seconds. With this they wait for minutes.</summary>
    public static IServiceCollection AddPatience(this IServiceCollection services)
        => services
            .AddSingleton(new WorkLimits { CancelTime = TimeSpan.FromMinutes(1), FlushTime = TimeSpan.FromMinutes(1) })
            .Configure<HostOptions>(static options => options.ShutdownTimeout = TimeSpan.FromMinutes(5))
            .Configure<TaskRecoveryOptions>(
                static options => (options.Node.Lease, options.Node.Grace) = (TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(4)));

    /// <summary>Waits until something holds. The last round of a loop at a stop has two seconds, so tests wait for what it would store
    /// before they stop a host.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(3));
        while (!await condition())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), limit.Token);
        }
    }

    /// <summary>Waits until an entry has ended.</summary>
    public static Task UntilEndedAsync(IJobQueue queue, long entryId)
        => UntilAsync(async () => (await queue.FindAsync(entryId, TestContext.Current.CancellationToken))!.EndedAt is not null);
}
