extern alias Core;

using System.Runtime.CompilerServices;
using Core::TaskRecovery.Hosting;

namespace TaskRecovery.Tests.Hosting;

/// <summary>Callers who give up before the answer is there.</summary>
public sealed class AbandonedWaitTests
{
    // As long as a machine may stand still.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Fact]
    public Task A_failure_after_the_caller_has_given_up_is_not_reported_as_unobserved()
        => AssertObservedAsync(GiveUpAsync);

    [Fact]
    public Task A_failure_after_the_limit_of_a_wait_is_not_reported_as_unobserved()
        => AssertObservedAsync(LeaveAsync);

    [Fact]
    public async Task A_wait_with_a_limit_ends_with_its_task_however_that_ends()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        var work = new TaskCompletionSource();
        var wait = work.Task.WaitOrLeaveAsync(Timeout.InfiniteTimeSpan);
        Assert.False(wait.IsCompleted);

        work.SetException(new InvalidOperationException());
        await wait.WaitAsync(Patience);

        await Task.CompletedTask.WaitOrLeaveAsync(TimeSpan.Zero).WaitAsync(Patience);
        await Task.FromCanceled(cancelled.Token).WaitOrLeaveAsync(Timeout.InfiniteTimeSpan).WaitAsync(Patience);
    }

    [Fact]
    public async Task A_wait_with_a_limit_ends_at_its_limit_or_with_its_token_and_leaves_its_task_alone()
    {
        using var impatience = new CancellationTokenSource();
        var work = new TaskCompletionSource();

        await work.Task.WaitOrLeaveAsync(TimeSpan.FromMilliseconds(1)).WaitAsync(Patience);
        var wait = work.Task.WaitOrLeaveAsync(Timeout.InfiniteTimeSpan, impatience.Token);
        Assert.False(wait.IsCompleted);
        await impatience.CancelAsync();
        await wait.WaitAsync(Patience);

        Assert.False(work.Task.IsCompleted);
    }

    private static async Task AssertObservedAsync(Func<string, Task> giveUp)
    {
        var mark = Guid.NewGuid().ToString();
        var surfaced = false;
        EventHandler<UnobservedTaskExceptionEventArgs> listener = (_, failed) => surfaced |= failed.Exception.InnerExceptions.Any(
            exception => exception.Message == mark);
        TaskScheduler.UnobservedTaskException += listener;
        try
        {
            await giveUp(mark);
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

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task LeaveAsync(string mark)
    {
        var work = new TaskCompletionSource();

        await work.Task.WaitOrLeaveAsync(TimeSpan.FromMilliseconds(1));
        work.SetException(new InvalidOperationException(mark));
    }
}
