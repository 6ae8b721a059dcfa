extern alias Core;

using System.Threading.Channels;
using Core::TaskRecovery.Hosting;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Hosting;

/// <summary>What is written together.</summary>
public sealed class BatcherTests
{
    private readonly Channel<(List<int> Items, TaskCompletionSource Written)> _batches =
        Channel.CreateUnbounded<(List<int>, TaskCompletionSource)>();
    private readonly ManualTimeProvider _time = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_arrives_while_a_batch_is_written_is_written_together()
    {
        var batcher = Batcher(new BatchRules<int> { MaxWriters = 1, MaxItems = 10 });

        Add(batcher, 1);
        var first = await NextAsync();
        Add(batcher, 2, 3, 4);
        first.Written.SetResult();
        var second = await NextAsync();

        Assert.Equal([1], first.Items);
        Assert.Equal([2, 3, 4], second.Items);
    }

    [Fact]
    public async Task Batches_are_limited_by_number_and_by_size_and_a_large_item_goes_alone()
    {
        var batcher = Batcher(new BatchRules<int> { MaxWriters = 1, MaxItems = 3, SizeOf = static item => item, MaxSize = 100 });
        Add(batcher, 1);
        var first = await NextAsync();

        Add(batcher, 1, 1, 1, 60, 50, 500, 2);
        List<List<int>> batches = [];
        for (var last = first; batches.Count < 4; batches.Add(last.Items))
        {
            last.Written.SetResult();
            last = await NextAsync();
        }

        Assert.Equal([[1, 1, 1], [60], [50], [500]], batches);
    }

    [Fact]
    public async Task A_second_writer_starts_only_if_enough_items_wait()
    {
        var batcher = Batcher(new BatchRules<int> { MaxWriters = 2, MaxItems = 10, NextWriterFrom = 3 });
        Add(batcher, 1);
        var first = await NextAsync();

        Add(batcher, 2, 3);
        Assert.False(_batches.Reader.TryPeek(out _));
        Add(batcher, 4);
        var second = await NextAsync();

        Assert.Equal([2, 3, 4], second.Items);
        Assert.False(first.Written.Task.IsCompleted);
    }

    [Fact]
    public async Task After_a_large_batch_a_writer_pauses_to_collect_more()
    {
        var batcher = Batcher(new BatchRules<int>
        {
            MaxWriters = 1,
            MaxItems = 10,
            NextWriterFrom = 5,
            BusyFrom = 3,
            BusyPause = TimeSpan.FromMilliseconds(15),
        });
        Add(batcher, 1);
        var first = await NextAsync();
        Add(batcher, 2, 3, 4);
        first.Written.SetResult();
        var large = await NextAsync();
        large.Written.SetResult();
        Add(batcher, 5);
        while (_time.ActiveTimers == 0)
        {
            await Task.Yield();
        }

        Assert.False(_batches.Reader.TryPeek(out _));
        Add(batcher, 6);
        _time.Advance(TimeSpan.FromMilliseconds(15));

        Assert.Equal([5, 6], (await NextAsync()).Items);
    }

    [Fact]
    public async Task Every_item_is_written_once_in_the_order_of_its_writer()
    {
        var batcher = Batcher(new BatchRules<int> { MaxWriters = 1, MaxItems = 7 });
        var seen = new List<int>();
        Add(batcher, [.. Enumerable.Range(0, 100)]);
        while (seen.Count < 100)
        {
            var (items, written) = await NextAsync();
            seen.AddRange(items);
            written.SetResult();
        }

        Assert.Equal(Enumerable.Range(0, 100), seen);
    }

    private Batcher<int> Batcher(BatchRules<int> rules) => new(
        batch =>
        {
            var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _batches.Writer.TryWrite((batch, written));
            return written.Task;
        },
        rules,
        _time);

    private ValueTask<(List<int> Items, TaskCompletionSource Written)> NextAsync() => _batches.Reader.ReadAsync(Cancellation);

    private static void Add(Batcher<int> batcher, params int[] items) => Array.ForEach(items, batcher.Add);
}
