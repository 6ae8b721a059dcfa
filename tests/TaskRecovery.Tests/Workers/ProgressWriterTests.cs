using System.Text;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;
using TaskRecovery.Workers;

namespace TaskRecovery.Tests.Workers;

/// <summary>Steps and checkpoints that wait at the same moment share a transaction.</summary>
public sealed class ProgressWriterTests
{
    private static readonly long EndOfLease = TimeProvider.System.GetTimestamp() + (3_600 * TimeProvider.System.TimestampFrequency);

    private readonly FakeQueueStore _store = new();
    private readonly Node _life = new(Guid.NewGuid(), "node", TimeProvider.System);
    private readonly ProgressWriter _writer;

    public ProgressWriterTests()
    {
        _writer = new ProgressWriter(_store, TimeProvider.System);
        _life.Extend(EndOfLease);
        _store.Add("test.work", "{}");
    }

    [Fact]
    public async Task Calls_that_wait_while_batches_are_written_share_the_next_one_and_get_their_own_answers()
    {
        var answers = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _store.ProgressAnswers = answers.Task;
        var calls = await OccupyWritersAsync();
        calls.AddRange(Enumerable.Range(3, 8).Select(number => WriteAsync($"step {number}")));
        Assert.DoesNotContain(calls, call => call.IsCompleted);
        answers.SetResult();
        var held = await Task.WhenAll(calls);

        Assert.Equal([1, 1, 8], _store.ProgressBatches);
        Assert.All(held, Assert.False); // No claim is held.
    }

    [Fact]
    public async Task A_step_that_the_store_refuses_fails_alone()
    {
        var answers = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _store.ProgressAnswers = answers.Task;
        _store.RefuseProgress = writes
            => writes.Any(write => Encoding.UTF8.GetString(write.Data.Span) == "13") ? new ContentRefusedException("13 is refused") : null;
        var first = await OccupyWritersAsync();
        Task<bool>[] calls = [.. Enumerable.Range(10, 6).Select(number => WriteAsync($"step {number}", number))];
        answers.SetResult();

        await Assert.ThrowsAsync<ContentRefusedException>(() => calls[3]);
        await Task.WhenAll([.. first, .. calls.Where((_, index) => index != 3)]);
    }

    [Fact]
    public async Task An_unavailable_store_fails_all_calls_of_a_batch_at_once()
    {
        var tries = 0;
        _store.RefuseProgress = _ => Interlocked.Increment(ref tries) > 0 ? new StoreUnavailableException("down") : null;

        await Assert.ThrowsAsync<StoreUnavailableException>(() => WriteAsync("one"));

        Assert.Equal(1, tries);
    }

    [Fact]
    public async Task A_call_whose_lease_was_lost_while_it_waited_is_not_stored_where_that_can_be_withdrawn()
    {
        _store.Traits = _store.Traits with { TakesBackQueuedWrites = true };
        var lease = _life.Lease!;
        _life.EndWith(NodeEnd.DeclaredDead);
        await lease.Lost.FiresAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _writer.WriteAsync(lease, Write("late", 1)));

        Assert.Empty(_store.ProgressBatches);
    }

    private async Task<List<Task<bool>>> OccupyWritersAsync()
    {
        List<Task<bool>> calls = [];
        for (var writers = 1; writers <= 2; writers++)
        {
            calls.Add(WriteAsync($"step {writers}"));
            await _store.Until(store => store.ProgressBatches.Count == writers);
        }

        return calls;
    }

    private Task<bool> WriteAsync(string step, int number = 1) => _writer.WriteAsync(_life.Lease!, Write(step, number));

    private static ProgressWrite Write(string step, int number)
        => new(new ProgressKey(1, null), 5, step, Encoding.UTF8.GetBytes($"{number}"));
}
