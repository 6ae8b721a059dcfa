using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Hosting;

/// <summary>Viewers share reads.</summary>
public sealed class SharedReadsTests
{
    private readonly FixedTime _time = new(Shop.Now);
    private int _reads;

    [Fact]
    public async Task An_answer_is_used_for_two_seconds()
    {
        var shared = new SharedReads(_time);

        Assert.Equal(1, await ReadAsync(shared));
        _time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.Equal(1, await ReadAsync(shared));
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(2, await ReadAsync(shared));
    }

    [Fact]
    public async Task A_failure_is_not_kept()
    {
        var shared = new SharedReads(_time);

        await Assert.ThrowsAsync<TimeoutException>(async () => await shared.GetAsync<int>(
            "question", static _ => throw new TimeoutException(), TestContext.Current.CancellationToken));

        Assert.Equal(1, await ReadAsync(shared));
    }

    [Fact]
    public async Task A_viewer_who_leaves_does_not_end_the_read_of_the_others()
    {
        var shared = new SharedReads(_time);
        var answer = new TaskCompletionSource<int>();
        using var leaving = new CancellationTokenSource();

        var left = shared.GetAsync("question", _ => new ValueTask<int>(answer.Task), leaving.Token).AsTask();
        var stayed = shared.GetAsync("question", _ => new ValueTask<int>(answer.Task), TestContext.Current.CancellationToken).AsTask();
        await leaving.CancelAsync();
        answer.SetResult(7);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        Assert.Equal(7, await stayed);
    }

    [Fact]
    public async Task After_an_action_everything_is_read_again()
    {
        var shared = new SharedReads(_time);
        await ReadAsync(shared);

        shared.Forget();

        Assert.Equal(2, await ReadAsync(shared));
    }

    [Fact]
    public async Task An_answer_that_is_too_old_is_not_kept()
    {
        var shared = new SharedReads(_time);
        await ReadAsync(shared, "first");
        _time.Advance(TimeSpan.FromSeconds(1));
        await ReadAsync(shared, "second");
        Assert.Equal(2, shared.Count);

        _time.Advance(TimeSpan.FromSeconds(1));
        await ReadAsync(shared, "third");

        Assert.Equal(2, shared.Count);
        Assert.False(shared.TryFind<int>("first", out _));
        Assert.True(shared.TryFind<int>("second", out _));
    }

    [Fact]
    public async Task Two_hundred_answers_at_once_are_the_most()
    {
        var shared = new SharedReads(_time);
        for (var number = 0; number < 200; number++)
        {
            await ReadAsync(shared, $"question {number}");
        }

        Assert.Equal(200, shared.Count);
        await ReadAsync(shared, "one more");
        Assert.Equal(1, shared.Count);
    }

    private ValueTask<int> ReadAsync(SharedReads shared, string question = "question")
        => shared.GetAsync(question, _ => ValueTask.FromResult(Interlocked.Increment(ref _reads)), TestContext.Current.CancellationToken);
}
