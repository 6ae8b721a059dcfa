using System.Diagnostics.CodeAnalysis;
using TaskRecovery.Claims;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;
using TaskRecovery.Workers;

namespace TaskRecovery.Tests.Claims;

/// <summary>Which of the entries that wait for an executor begin early, and for how long what they began is used.</summary>
public sealed class EntryBufferTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly EntryBuffer _buffer = new();
    private readonly List<long> _begun = [];

    [Fact]
    public void Entries_begin_early_once_and_in_groups()
    {
        _buffer.Add(Claim(1), Entries(1, 3));
        _buffer.Add(Claim(2), Entries(4, 20));

        Begin(8);
        Assert.Equal(Enumerable.Range(1, 8).Select(static id => (long)id), _begun);
        Take(3);
        Begin(8);
        Assert.Equal(8, _begun.Count);
        Take(1);
        Begin(8);
        Assert.Equal(Enumerable.Range(1, 12).Select(static id => (long)id), _begun);
        Take(16);
        Begin(8);
        Assert.Equal(12, _begun.Count);
        Assert.Equal(0, _buffer.Count);
    }

    [Fact]
    public void Entries_that_are_kept_keep_what_they_began()
    {
        var first = Claim(1);
        _buffer.Add(first, Entries(1, 2));
        _buffer.Add(Claim(2), Entries(3, 8));
        Begin(4);

        var taken = _buffer.TakeWhere(claim => claim == first);
        Begin(4);

        Assert.Equal([1, 2], taken.Select(static entry => entry.Entry.Id));
        Assert.All(taken, static entry => Assert.NotNull(entry.Early));
        Assert.Equal([1, 2, 3, 4, 5, 6], _begun);
        Assert.All(Take(4), static entry => Assert.NotNull(entry.Early));
        Assert.All(Take(2), static entry => Assert.Null(entry.Early));
    }

    [Fact]
    public void Claim_without_entries_stands_in_the_way_of_no_other()
    {
        _buffer.Add(Claim(1), []);
        _buffer.Add(Claim(2), Entries(1, 1));
        _buffer.Add(Claim(3), []);

        Assert.Equal([1], Take(2).Select(static entry => entry.Entry.Id));
        Assert.Empty(_buffer.TakeWhere(static _ => true));
        Assert.Equal(0, _buffer.Count);
    }

    [Fact]
    public void Answer_is_used_if_it_is_not_old()
    {
        var start = Start(1);

        start.Begin();
        _time.Advance(TimeSpan.FromMilliseconds(200));
        Assert.True(start.TryTake(out _));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.False(start.TryTake(out _));

        Assert.Equal([1], _begun);
    }

    [Fact]
    public void Abandoned_start_does_not_begin()
    {
        var start = Start(1);

        Assert.Null(start.Abandon());
        start.Begin();

        Assert.Empty(_begun);
    }

    private static List<ClaimedEntry> Entries(long first, long last)
        => [.. Enumerable.Range((int)first, (int)(last - first + 1)).Select(static id => Entry(id))];

    private static ClaimedEntry Entry(long id) => new()
    {
        Id = id,
        Kind = "test",
        Priority = 5,
        Args = default,
        Attempt = 1,
        MaxAttempts = 1,
        Crashes = 0,
        CreatedAt = default,
        Waited = default,
    };

    private static NodeClaim Claim(long fence) => new(null!, fence, "default", 1, 0);

    private EarlyStart Start(long id) => new(new Runner(_begun), Entry(id), Claim(1), _time);

    private void Begin(int count)
    {
        foreach (var start in _buffer.CreateEarlyStarts(count, (entry, claim) => new EarlyStart(new Runner(_begun), entry, claim, _time)))
        {
            start.Begin();
        }
    }

    private List<BufferedEntry> Take(int count)
    {
        var taken = new List<BufferedEntry>();
        while (taken.Count < count && _buffer.TryTake(out var entry))
        {
            taken.Add(entry);
        }

        return taken;
    }

    private sealed class Runner(List<long> begun) : KindRunner
    {
        public override bool TryBeginEarly(ClaimedEntry entry, NodeClaim claim, [NotNullWhen(true)] out Task? work)
        {
            begun.Add(entry.Id);
            work = Task.CompletedTask;
            return true;
        }

        public override Task RunAsync(WorkRun run, CancellationToken cancellationToken) => throw new NotSupportedException();

        public override TimeSpan? NextRetry(WorkRun run, Exception exception) => null;
    }
}
