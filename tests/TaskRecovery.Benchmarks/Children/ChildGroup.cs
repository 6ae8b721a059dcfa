using System.Diagnostics;

namespace TaskRecovery.Benchmarks.Children;

/// <summary>Children that do the same work together.</summary>
internal sealed class ChildGroup(ChildHandle[] children) : IAsyncDisposable
{
    private static readonly TimeSpan LongestStandstill = TimeSpan.FromSeconds(60);

    public Task GoAsync() => Task.WhenAll(children.Select(child => child.GoAsync()));

    public async Task<long> CountAsync()
    {
        var counts = await Task.WhenAll(children.Select(child => child.CountAsync()));
        return counts.Sum();
    }

    public Task<ChildStats[]> StatsAsync() => Task.WhenAll(children.Select(child => child.StatsAsync()));

    /// <summary>Waits until they have counted so many.</summary>
    public async Task WaitForAsync(long entries)
    {
        var (most, since) = (-1L, Stopwatch.GetTimestamp());
        while (await CountAsync() is var count && count < entries)
        {
            if (count > most)
            {
                (most, since) = (count, Stopwatch.GetTimestamp());
            }
            else if (Stopwatch.GetElapsedTime(since) > LongestStandstill)
            {
                throw new TimeoutException($"Nothing has moved for {LongestStandstill}: {count} of {entries} are done.");
            }

            await Task.Delay(25);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var child in children)
        {
            await child.DisposeAsync();
        }
    }
}
