using System.Diagnostics;

namespace TaskRecovery.Crash.Tests;

/// <summary>Waits for a condition, with a limit.</summary>
internal static class Until
{
    public static Task TrueAsync(Func<bool> condition, string what, TimeSpan? limit = null)
        => TrueAsync(() => ValueTask.FromResult(condition()), what, limit);

    public static async Task TrueAsync(Func<ValueTask<bool>> condition, string what, TimeSpan? limit = null)
    {
        var clock = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await condition())
        {
            if (clock.Elapsed > (limit ?? TimeSpan.FromMinutes(3)))
            {
                throw new TimeoutException($"Waited {clock.Elapsed.TotalSeconds:0.0} s in vain: {what}.");
            }

            await timer.WaitForNextTickAsync();
        }
    }
}
