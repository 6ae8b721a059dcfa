using System.Runtime;

namespace TaskRecovery.Benchmarks.Children;

/// <summary>Work before the clock runs: in waves, until the runtime compiles hardly anything more for it.</summary>
/// <remarks>The runtime compiles anew what was used often, beside the work and for seconds: half of what a drain of four seconds took in
/// its process was the compiler.</remarks>
internal static class WarmUp
{
    /// <summary>How many waves there may be.</summary>
    public const int MostWaves = 8;

    /// <summary>Set for children of a quick run.</summary>
    public const string QuickVariable = "TASKRECOVERY_BENCHMARKS_QUICK";

    private const int LeastWaves = 3;
    private const int FewMethods = 10;
    private const int MostPauses = 10;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    public static bool IsQuick => Environment.GetEnvironmentVariable(QuickVariable) is not null;

    /// <summary>Runs waves with pauses between them, in which the runtime catches up.</summary>
    /// <param name="wave">Does some of the work; given its number, from 0.</param>
    public static async Task UntilCompiledAsync(Func<int, Task> wave)
    {
        for (var number = 0; number < (IsQuick ? LeastWaves : MostWaves); number++)
        {
            var before = JitInfo.GetCompiledMethodCount();
            await wave(number);
            await PauseAsync();
            if (number + 1 >= LeastWaves && JitInfo.GetCompiledMethodCount() - before <= FewMethods)
            {
                return;
            }
        }
    }

    private static async Task PauseAsync()
    {
        var (before, now) = (0L, JitInfo.GetCompiledMethodCount());
        for (var pause = 0; pause < MostPauses && now > before; pause++)
        {
            await Task.Delay(Pause);
            (before, now) = (now, JitInfo.GetCompiledMethodCount());
        }
    }
}
