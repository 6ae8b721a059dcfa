using System.Collections.Concurrent;
using System.Data.Common;
using System.Text;
using TaskRecovery.Queue;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Queue;

/// <summary>Entries of several callers that share a transaction: an error of one is not the others', and nothing is stored twice.</summary>
public sealed class EntryWriterTests
{
    private readonly FakeQueueStore _store = new();
    private readonly EntryWriter _writer;

    public EntryWriterTests()
    {
        var claimers = new LocalClaimers();
        _writer = new EntryWriter(_store, claimers, new ClaimWaker(claimers), TimeProvider.System);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(typeof(OutOfMemoryException))]
    [InlineData(typeof(InvalidCastException))]
    [InlineData(typeof(ObjectDisposedException))]
    [InlineData(typeof(StoreUnavailableException))]
    public async Task After_an_error_that_does_not_say_whether_they_are_stored_none_is_stored_again(Type type)
    {
        var error = type == typeof(ObjectDisposedException) ? new ObjectDisposedException("connection")
            : type == typeof(StoreUnavailableException) ? new StoreUnavailableException("The answer was lost.")
            : (Exception)Activator.CreateInstance(type)!;
        _store.RefuseEntries = entries => entries.Count == 1 ? null : StoreAndFail(entries, error);

        var calls = await WriteTogetherAsync();

        foreach (var call in calls)
        {
            Assert.Same(error, await Assert.ThrowsAnyAsync<Exception>(() => call));
        }

        Assert.Equal(12, _store.Entries.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_entry_that_the_store_refuses_fails_alone(bool isOfDriver)
    {
        Exception refusal = isOfDriver ? new RefusedByDriver() : new ContentRefusedException("13 is refused");
        _store.RefuseEntries = entries => entries.Any(entry => Encoding.UTF8.GetString(entry.Args.Span) == "13") ? refusal : null;

        var calls = await WriteTogetherAsync();

        Assert.Same(refusal, await Assert.ThrowsAnyAsync<Exception>(() => calls[3]));
        await Task.WhenAll(calls.Where((_, number) => number != 3));
        Assert.Equal(11, _store.Entries.Count);
    }

    [Theory]
    [InlineData("42501", 1, 11)]
    [InlineData("2200H", 1, 11)]
    [InlineData("28P01", 10, 2)]
    [InlineData(null, 10, 2)]
    public async Task A_queue_that_may_not_be_added_fails_its_own_entries(string? sqlState, int failed, int stored)
    {
        var refusal = new StoreConfigurationException(
            "The role may not do this.", sqlState is null ? null : new RefusedByDriver(sqlState));
        _store.RefuseEntries = entries => entries.Any(static entry => entry.Queue == "new") ? refusal : null;

        var calls = await WriteTogetherAsync(newQueueOf: 13);

        Assert.Equal(failed, calls.Count(static call => call.IsFaulted));
        Assert.Same(refusal, await Assert.ThrowsAsync<StoreConfigurationException>(() => calls[3]));
        Assert.Equal(stored, _store.Entries.Count);
    }

    [Fact]
    public async Task Entries_with_long_metadata_share_no_transaction()
    {
        var sizes = new ConcurrentQueue<int>();
        _store.RefuseEntries = entries =>
        {
            sizes.Enqueue(entries.Count);
            return null;
        };

        await Task.WhenAll(await WriteTogetherAsync(metadata: new string(' ', 600 * 1024)));

        Assert.Equal(12, sizes.Count);
        Assert.All(sizes, static size => Assert.Equal(1, size));
    }

    [Fact]
    public async Task Entries_of_a_call_that_is_cancelled_already_are_not_stored_as_claimed()
    {
        var (claimers, claimer) = (new LocalClaimers(), new RecordingClaimer());
        claimers.Register("default", claimer);
        var writer = new EntryWriter(_store, claimers, new ClaimWaker(claimers), TimeProvider.System);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await writer.WriteAsync([Entry(1)], transaction: null, new CancellationToken(canceled: true)));

        Assert.Equal(0, claimer.Calls);
        Assert.Empty(_store.Entries);
    }

    [Fact]
    public async Task Calls_whose_unique_key_is_not_free_keep_no_others_waiting()
    {
        _store.TakenKeys.Add("taken");
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _store.KeyWait = end.Task;
        Task<EnqueueResult>[] waiting = [WriteAsync(1, key: "taken"), WriteAsync(2, key: "taken")];
        await _store.Until(static store => store.CallsOf("blocked key tried") == 1);

        await Task.WhenAll(Enumerable.Range(10, 50).Select(number => WriteAsync(number)));
        await Task.WhenAll(Enumerable.Range(100, 50).Select(number => WriteAsync(number, key: $"{number}")));

        Assert.All(waiting, static call => Assert.False(call.IsCompleted));
        Assert.Equal(1, _store.CallsOf("blocked key tried"));
        _store.TakenKeys.Remove("taken");
        end.SetResult();
        var results = await Task.WhenAll(waiting);
        Assert.Equal(results[0].Id, results[1].Id);
        Assert.Single(results, static result => result.IsDuplicate);
        Assert.Equal(101, _store.Entries.Count);
    }

    [Fact]
    public async Task A_key_that_is_not_free_does_not_keep_those_of_its_batch_waiting()
    {
        _store.TakenKeys.Add("13");
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _store.KeyWait = end.Task;

        var calls = await WriteTogetherAsync(withKeys: true, waitForAll: false);
        await Task.WhenAll(calls.Where((_, number) => number != 3));
        await _store.Until(static store => store.CallsOf("blocked key tried") == 1);

        // In batches of ten, five, three, two and one.
        Assert.Equal(5, _store.CallsOf("key taken"));
        Assert.False(calls[3].IsCompleted);
        _store.TakenKeys.Remove("13");
        end.SetResult();
        await calls[3];
        Assert.Equal(12, _store.Entries.Count);
    }

    [Fact]
    public async Task Many_keys_that_are_not_free_keep_those_of_their_batch_waiting_for_a_few_short_tries()
    {
        string[] taken = ["10", "12", "14", "16", "18"];
        Array.ForEach(taken, key => _store.TakenKeys.Add(key));
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _store.KeyWait = end.Task;

        var calls = await WriteTogetherAsync(withKeys: true, waitForAll: false);
        await Task.WhenAll(calls.Where((_, number) => number % 2 != 0));
        await _store.Until(static store => store.CallsOf("blocked key tried") == 1);

        Assert.All(calls.Where((_, number) => number % 2 == 0), static call => Assert.False(call.IsCompleted));
        Array.ForEach(taken, key => _store.TakenKeys.Remove(key));
        end.SetResult();
        await Task.WhenAll(calls);
        Assert.Equal(12, _store.Entries.Count);
    }

    [Fact]
    public async Task Batches_that_are_being_divided_keep_no_later_call_waiting()
    {
        string[] taken = [.. Enumerable.Range(10, 10).Select(static number => $"{number}")];
        Array.ForEach(taken, key => _store.TakenKeys.Add(key));
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _store.ShortKeyWait = end.Task;

        // Two calls are as large as a batch may be, so there are five batches, more than writers. A call that comes before the last of them
        // is tried may be one of its calls.
        var calls = await WriteTogetherAsync(metadata: new string('x', 450 * 1024), withKeys: true, waitForAll: false);
        await _store.Until(static store => store.CallsOf("key taken") == 5);
        await WriteAsync(50, key: "free");

        Assert.All(calls, static call => Assert.False(call.IsCompleted));
        Array.ForEach(taken, key => _store.TakenKeys.Remove(key));
        end.SetResult();
        await Task.WhenAll(calls);
        Assert.Equal(13, _store.Entries.Count);
    }

    [Fact]
    public async Task Calls_that_could_not_be_divided_in_time_fail()
    {
        _store.TakenKeys.Add("13");
        _writer.KeyLimit = TimeSpan.Zero;

        var calls = await WriteTogetherAsync(withKeys: true);

        foreach (var call in calls)
        {
            var error = await Assert.ThrowsAsync<StoreUnavailableException>(() => call);
            Assert.Contains("was not stored within 0 s", error.Message, StringComparison.Ordinal);
            Assert.True(error.WaitedForKey);
        }

        Assert.Equal(2, _store.Entries.Count);
    }

    [Fact]
    public async Task An_entry_that_is_refused_fails_alone_beside_a_key_that_is_not_free()
    {
        _store.TakenKeys.Add("17");
        var refusal = new ContentRefusedException("13 is refused");
        _store.RefuseEntries = entries => entries.Any(entry => entry.UniqueKey == "13") ? refusal : null;

        var calls = await WriteTogetherAsync(withKeys: true, waitForAll: false);
        await Task.WhenAll(calls.Where((_, number) => number is not (3 or 7)));

        Assert.Same(refusal, await Assert.ThrowsAsync<ContentRefusedException>(() => calls[3]));
        Assert.False(calls[7].IsCompleted);
        _store.TakenKeys.Remove("17");
        await calls[7];
        Assert.Equal(11, _store.Entries.Count);
    }

    [Fact]
    public async Task A_call_waits_for_its_key_for_a_limited_time_although_the_clock_of_the_application_stands_still()
    {
        var (time, claimers) = (new ManualTimeProvider(), new LocalClaimers());
        var writer = new EntryWriter(_store, claimers, new ClaimWaker(claimers), time);
        _store.TakenKeys.Add("taken");
        var call = WriteAsync(1, key: "taken", writer: writer);
        await _store.Until(static store => store.CallsOf("key still taken") >= 2);

        writer.KeyLimit = TimeSpan.Zero;

        var error = await Assert.ThrowsAsync<StoreUnavailableException>(() => call.WaitAsync(TimeSpan.FromMinutes(2), Cancellation));
        Assert.True(error.WaitedForKey);
        Assert.Contains("Unique key 'taken' of kind 'test.work' was not free", error.Message, StringComparison.Ordinal);
        _store.TakenKeys.Remove("taken");
        Assert.False((await WriteAsync(2, key: "taken", writer: writer)).IsDuplicate);
    }

    [Fact]
    public async Task A_call_that_is_cancelled_while_it_waits_for_its_key_is_not_stored()
    {
        _store.TakenKeys.Add("taken");
        using var cancellation = new CancellationTokenSource();
        var cancelled = WriteAsync(1, key: "taken", cancellationToken: cancellation.Token);
        await _store.Until(static store => store.CallsOf("key still taken") >= 2);

        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        var next = WriteAsync(2, key: "taken");
        var tries = _store.CallsOf("key still taken");
        await _store.Until(store => store.CallsOf("key still taken") >= tries + 3);
        _store.TakenKeys.Remove("taken");

        Assert.False((await next).IsDuplicate);
        Assert.Single(_store.Entries);
    }

    // Stores two entries, one for each writer, and ten more that wait meanwhile and so share a transaction.
    private async Task<Task<EnqueueResult>[]> WriteTogetherAsync(
        string? metadata = null, bool withKeys = false, bool waitForAll = true, int? newQueueOf = null)
    {
        using var busy = new CountdownEvent(2);
        using var free = new ManualResetEventSlim();
        _store.OnCall = call =>
        {
            if (call == "enqueue")
            {
                busy.Signal();
                Assert.True(free.Wait(TimeSpan.FromMinutes(2)));
            }
        };
        List<Task> first = [];
        for (var writer = 1; writer <= 2; writer++)
        {
            first.Add(WriteAsync(writer, key: withKeys ? $"{writer}" : null));
            var begun = 2 - writer;
            Assert.True(SpinWait.SpinUntil(() => busy.CurrentCount == begun, TimeSpan.FromMinutes(2)));
        }

        Task<EnqueueResult>[] calls =
        [
            .. Enumerable.Range(10, 10).Select(number => WriteAsync(
                number, metadata, withKeys ? $"{number}" : null, queue: number == newQueueOf ? "new" : "default")),
        ];
        _store.OnCall = null;
        free.Set();
        await Task.WhenAll(first);
        if (waitForAll)
        {
            await Task.WhenAny(Task.WhenAll(calls), Task.Delay(Timeout.InfiniteTimeSpan, Cancellation));
        }

        return calls;
    }

    private Exception StoreAndFail(IReadOnlyList<NewEntry> entries, Exception error)
    {
        foreach (var entry in entries)
        {
            _store.Add(entry.Kind, Encoding.UTF8.GetString(entry.Args.Span));
        }

        return error;
    }

    private Task<EnqueueResult> WriteAsync(
        int number, string? metadata = null, string? key = null, EntryWriter? writer = null, string queue = "default",
        CancellationToken cancellationToken = default)
        => (writer ?? _writer).WriteAsync(
            Entry(number) with { Metadata = metadata, UniqueKey = key, Queue = queue }, cancellationToken);

    private static NewEntry Entry(int number) => new()
    {
        Kind = "test.work",
        Queue = "default",
        Priority = 5,
        Args = Encoding.UTF8.GetBytes($"{number}"),
        MaxAttempts = 10,
    };

    private sealed class RecordingClaimer : ILocalClaimer
    {
        public int Calls { get; private set; }

        public void Wake(bool fromFront)
        {
        }

        public ValueTask<ClaimedEnqueue?> TryStoreClaimedAsync(NewEntry[] entries, CancellationToken whileQueued)
        {
            Calls++;
            return ValueTask.FromResult<ClaimedEnqueue?>(null);
        }
    }

    private sealed class RefusedByDriver(string sqlState = "22021") : DbException
    {
        public override string SqlState => sqlState;
    }
}
