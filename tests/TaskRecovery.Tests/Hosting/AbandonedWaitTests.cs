extern alias Core;

using System.Runtime.CompilerServices;
using Core::TaskRecovery.Hosting;

namespace TaskRecovery.Tests.Hosting;

/// <summary>Callers who give up before the answer is there.</summary>
public sealed class AbandonedWaitTests
{
    [Fact]
    public async Task A_failure_after_the_caller_has_given_up_is_not_reported_as_unobserved()
    {
        var mark = Guid.NewGuid().ToString();
        var surfaced = false;
        EventHandler<UnobservedTaskExceptionEventArgs> listener = (_, failed) => surfaced |= failed.Exception.InnerExceptions.Any(
            exception => exception.Message == mark);
        TaskScheduler.UnobservedTaskException += listener;
        try
        {
            await GiveUpAsync(mark);
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= listener;
        }

        Assert.False(surfaced);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task GiveUpAsync(string mark)
    {
        using var impatience = new CancellationTokenSource();
        var work = new TaskCompletionSource<int>();
        var wait = work.Task.WaitOrAbandonAsync(impatience.Token);

        await impatience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
        work.SetException(new InvalidOperationException(mark));
    }
}
