using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>Calls that wait at the same moment share one transaction.</summary>
public sealed class EnqueueGroupTests
{
    private readonly List<int> _sizes = [];
    private readonly SemaphoreSlim _gate = new(0);
    private Func<NewEntry, Exception?> _refuse = _ => null;

    [Fact]
    public async Task A_lone_call_goes_at_once()
    {
        var group = new EnqueueGroup(StoreAsync);
        _gate.Release();

        var results = await group.EnqueueAsync([Entry("a")], CancellationToken.None);

        Assert.Equal([1], _sizes);
        Assert.Single(results);
    }

    [Fact]
    public async Task Calls_that_come_while_others_are_stored_go_together_and_each_gets_its_own_answers()
    {
        var group = new EnqueueGroup(StoreAsync);
        var calls = Enumerable.Range(0, 20).Select(i => group.EnqueueAsync([Entry($"{i}"), Entry($"{i}")], CancellationToken.None).AsTask()).ToArray();

        _gate.Release(10);
        var results = await Task.WhenAll(calls);

        Assert.Equal([2, 2, 36], _sizes);
        Assert.All(results, (answers, i) => Assert.Equal([i, i], answers.Select(answer => (int)answer.Id)));
    }

    [Fact]
    public async Task One_callers_bad_entry_does_not_fail_the_others()
    {
        _refuse = entry => string.Equals(entry.Kind, "5", StringComparison.Ordinal) ? new InvalidOperationException("bad") : null;
        var group = new EnqueueGroup(StoreAsync);
        var calls = Enumerable.Range(0, 10).Select(i => group.EnqueueAsync([Entry($"{i}")], CancellationToken.None).AsTask()).ToArray();

        _gate.Release(100);

        await Assert.ThrowsAsync<InvalidOperationException>(() => calls[5]);
        await Task.WhenAll(calls.Where((_, i) => i != 5));
    }

    [Fact]
    public async Task A_store_that_is_not_there_is_asked_once_for_all()
    {
        _refuse = _ => new StoreUnavailableException("gone");
        var group = new EnqueueGroup(StoreAsync);
        var calls = Enumerable.Range(0, 10).Select(i => group.EnqueueAsync([Entry($"{i}")], CancellationToken.None).AsTask()).ToArray();

        _gate.Release(100);

        foreach (var call in calls)
        {
            await Assert.ThrowsAsync<StoreUnavailableException>(() => call);
        }

        Assert.Equal([1, 1, 8], _sizes);
    }

    [Fact]
    public async Task A_cancelled_call_that_has_not_gone_is_not_stored()
    {
        using var cancelled = new CancellationTokenSource();
        var group = new EnqueueGroup(StoreAsync);
        var calls = Enumerable.Range(0, 2).Select(i => group.EnqueueAsync([Entry($"{i}")], CancellationToken.None).AsTask()).ToArray();
        var late = group.EnqueueAsync([Entry("late")], cancelled.Token).AsTask();

        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => late);
        _gate.Release(10);
        await Task.WhenAll(calls);

        Assert.Equal([1, 1], _sizes);
    }

    private static NewEntry Entry(string kind) => new() { Kind = kind, Queue = "q", Priority = 5, Args = default, MaxAttempts = 1 };

    private async ValueTask<EnqueueResult[]> StoreAsync(IReadOnlyList<NewEntry> entries, CancellationToken cancellationToken)
    {
        lock (_sizes)
        {
            _sizes.Add(entries.Count);
        }

        await _gate.WaitAsync(TestContext.Current.CancellationToken);
        return entries.Select(_refuse).FirstOrDefault(exception => exception is not null) is { } refused
            ? throw refused
            : [.. entries.Select(entry => new EnqueueResult(int.TryParse(entry.Kind, out var id) ? id : 0, false))];
    }
}
