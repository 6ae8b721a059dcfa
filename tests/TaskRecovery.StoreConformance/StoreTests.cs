using System.Data.Common;
using System.Text;
using System.Text.Json.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance;

/// <summary>Base class of the store tests: each test has a fresh store, and the invariant is checked after it.</summary>
public abstract class StoreTests(StoreFixture fixture) : IAsyncLifetime
{
    public const string DefaultQueue = "default";
    public const string Work = "work";

    /// <summary>Allows as many suspects as the claim takes, and one entry on its last attempt before it is failed as a crash
    /// loop.</summary>
    protected static readonly SuspectAllowance Everything = new(MaxCrashes, 1000, 1);

    protected const int MaxCrashes = 3;

    private readonly List<TestNode> _nodes = [];
    private TestNode? _judge;

    protected StoreFixture Fixture => fixture;

    protected IQueueStore Store => fixture.Queue;

    protected IJobStore Jobs => fixture.Jobs;

    protected IMonitorStore Monitor => fixture.Monitor;

    protected IOperationStore Operations => fixture.Operations;

    protected IRunInfoStore RunInfo => fixture.RunInfo;

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Whether the tables exist when the test starts.</summary>
    protected virtual bool StartMigrated => true;

    /// <summary>Set by a test that breaks the invariant on purpose.</summary>
    protected bool BreaksTheInvariant { get; set; }

    public async ValueTask InitializeAsync() => await fixture.CreateAsync(StartMigrated, Cancellation);

    public async ValueTask DisposeAsync()
    {
        IReadOnlyList<string> violations;
        try
        {
            violations = BreaksTheInvariant ? [] : await Store.CheckInvariantsAsync(CancellationToken.None);
        }
        finally
        {
            foreach (var node in _nodes)
            {
                node.Dispose();
            }

            await fixture.DisposeAsync();
        }

        Assert.Empty(violations);
    }

    // Entries

    protected static NewEntry Entry(
        string kind = Work, string queue = DefaultQueue, int priority = 5, string? key = null, string args = "{}",
        TimeSpan? after = null, DateTimeOffset? at = null, int maxAttempts = 10) => new()
        {
            Kind = kind,
            Queue = queue,
            Priority = priority,
            Args = Json(args),
            MaxAttempts = maxAttempts,
            UniqueKey = key,
            RunAfter = after,
            RunAt = at,
        };

    protected async Task<EnqueueResult> EnqueueAsync(NewEntry entry)
        => Assert.Single(await Store.EnqueueAsync([entry], null, Cancellation));

    protected async Task<long> GivenEntryAsync(NewEntry? entry = null)
    {
        var result = await EnqueueAsync(entry ?? Entry());
        Assert.False(result.IsDuplicate);
        return result.Id;
    }

    protected async Task<long[]> GivenEntriesAsync(int count, Func<int, NewEntry>? entry = null)
    {
        var results = await Store.EnqueueAsync(
            [.. Enumerable.Range(0, count).Select(index => entry?.Invoke(index) ?? Entry())], null, Cancellation);
        return [.. results.Select(result => result.Id)];
    }

    protected async Task<QueueEntry> FindAsync(long entryId)
    {
        var entry = await Store.FindAsync(entryId, Cancellation);
        Assert.NotNull(entry);
        return entry;
    }

    protected async Task<EntryState> StateAsync(long entryId) => (await FindAsync(entryId)).State;

    protected static ReadOnlyMemory<byte> Json(string json) => Encoding.UTF8.GetBytes(json);

    protected static void SameJson(string expected, string? actual)
        => Assert.True(
            JsonNode.DeepEquals(JsonNode.Parse(expected), JsonNode.Parse(actual ?? "null")), $"Expected {expected}, got {actual}");

    protected static void SameJson(string expected, ReadOnlyMemory<byte> actual)
        => SameJson(expected, Encoding.UTF8.GetString(actual.Span));

    /// <summary>A transaction that was committed, rolled back or disposed, on a connection that is still open.</summary>
    protected static async Task<DbTransaction> GivenEndedTransactionAsync(DbConnection connection, string end)
    {
        var transaction = await connection.BeginTransactionAsync(Cancellation);
        await (end switch
        {
            "committed" => transaction.CommitAsync(Cancellation),
            "rolled back" => transaction.RollbackAsync(Cancellation),
            _ => transaction.DisposeAsync().AsTask(),
        });
        return transaction;
    }

    // Nodes

    protected static NodeIdentity Identity(string name, bool isExplicit = true) => new()
    {
        Id = Guid.NewGuid(),
        Name = name,
        NameIsExplicit = isExplicit,
        Machine = Environment.MachineName,
        ProcessId = Environment.ProcessId,
        ProcessStarted = LocalProcess.Started(Environment.ProcessId)!.Value,
    };

    /// <summary>Creates a node that has registered and sent one heartbeat.</summary>
    protected TestNode GivenNode(string? name = null, IQueueStore? store = null)
        => GivenNode(Identity(name ?? $"node-{_nodes.Count + 1}"), store);

    protected TestNode GivenNode(NodeIdentity identity, IQueueStore? store = null)
    {
        var session = (store ?? Store).OpenNodeSession();
        var registration = session.Register(identity);
        var node = new TestNode(store ?? Store, session, identity, registration);
        _nodes.Add(node);
        Assert.True(node.Beat().Accepted);
        return node;
    }

    /// <summary>The node through which the tests watch the other nodes.</summary>
    protected TestNode Judge => _judge ??= GivenNode("judge");

    protected PeerHeartbeat? Watch(TestNode node)
        => Judge.Beat().Peers.Where(peer => peer.NodeId == node.Id).Select(peer => (PeerHeartbeat?)peer).FirstOrDefault();

    /// <summary>Declares a node dead. Its session stays open, so that the test can use it as a stale node.</summary>
    protected void Die(TestNode node)
    {
        var peer = Watch(node);
        Assert.NotNull(peer);
        WaitUntil(()
            => Judge.Session.MarkDead(node.Id, peer.Value.Heartbeat), "no claim of the node is under way, so that it can be declared dead");
    }

    protected async Task<RecoveryReport> SweepAsync(int maxCrashes = MaxCrashes) => await Store.SweepAsync(maxCrashes, Cancellation);

    protected async Task<RecoveryReport> DieAndSweepAsync(TestNode node, int maxCrashes = MaxCrashes)
    {
        Die(node);
        return await SweepAsync(maxCrashes);
    }

    /// <summary>Purges until nothing is left to remove.</summary>
    protected async Task PurgeAsync(RetentionOptions? retention = null)
    {
        for (var round = 0; await Store.PurgeAsync(retention ?? new RetentionOptions(), Cancellation); round++)
        {
            Assert.True(round < 1000, "A thousand purges did not come to an end.");
        }
    }

    /// <summary>Polls until a condition is met that depends on another process, such as a server that notices a closed
    /// connection.</summary>
    protected static void WaitUntil(Func<bool> condition, string what)
    {
        var deadline = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(
                TimeProvider.System.GetElapsedTime(deadline) < TimeSpan.FromSeconds(60), $"It did not happen within 60 s that {what}.");
            Thread.Sleep(1);
        }
    }

    // Claims

    /// <summary>Claims from the front of the queue.</summary>
    protected static async Task<ClaimBatch> ClaimAsync(
        TestNode node, int limit = 1000, string queue = DefaultQueue, SuspectAllowance? suspects = null, params string[] kinds)
    {
        var claimer = node.Claimer(queue, kinds);
        claimer.Rewind();
        return await claimer.ClaimAsync(limit, suspects ?? Everything, Cancellation);
    }

    /// <summary>Stores one entry and claims it. No other entry may be waiting.</summary>
    protected async Task<Held> GivenClaimedAsync(TestNode node, NewEntry? entry = null)
    {
        var id = await GivenEntryAsync(entry);
        var batch = await ClaimAsync(node, queue: entry?.Queue ?? DefaultQueue, kinds: entry?.Kind ?? Work);
        Assert.Equal(id, Assert.Single(batch.Entries).Id);
        return new Held(node, id, batch.Fence);
    }

    /// <summary>Stores entries and claims them in one batch. No other entries may be waiting.</summary>
    protected async Task<(long Fence, long[] Ids)> GivenBatchAsync(TestNode node, int count)
    {
        var ids = await GivenEntriesAsync(count);
        var batch = await ClaimAsync(node, count);
        Assert.Equal(ids, batch.Entries.Select(entry => entry.Id));
        return (batch.Fence, ids);
    }

    /// <summary>Claims the only waiting entry again.</summary>
    protected static async Task<Held> ClaimOneAsync(TestNode node, long expected, string queue = DefaultQueue, params string[] kinds)
    {
        var batch = await ClaimAsync(node, queue: queue, kinds: kinds);
        Assert.Equal(expected, Assert.Single(batch.Entries).Id);
        return new Held(node, expected, batch.Fence);
    }

    /// <summary>Lets new nodes die while they hold the entry, this many times. No other entry may be waiting. Afterwards the entry is
    /// waiting or has ended.</summary>
    protected async Task CrashAsync(long entryId, int times, int maxCrashes = MaxCrashes)
    {
        for (var time = 0; time < times; time++)
        {
            var node = GivenNode();
            var batch = await ClaimAsync(node, suspects: new SuspectAllowance(maxCrashes, 1000, 1));
            Assert.Equal(entryId, Assert.Single(batch.Entries).Id);
            await DieAndSweepAsync(node, maxCrashes);
            node.Close();
        }
    }

    // Outcomes

    protected static RunOutcome Outcome(
        long entryId, long fence, OutcomeKind kind = OutcomeKind.Completed, string? result = null, string? error = null,
        string? reason = null, TimeSpan delay = default, bool hasUniqueKey = false, bool isTask = false) => new()
        {
            EntryId = entryId,
            Fence = fence,
            Kind = kind,
            Result = result is null ? default : Json(result),
            Error = error,
            Reason = reason,
            Delay = delay,
            Duration = TimeSpan.FromMilliseconds(5),
            HasUniqueKey = hasUniqueKey,
            IsTask = isTask,
        };

    protected async Task<IReadOnlyList<RunOutcome>> TryFinishAsync(TestNode node, params RunOutcome[] outcomes)
        => await Store.FinishAsync(node.Id, outcomes, Cancellation);

    protected async Task FinishAsync(TestNode node, params RunOutcome[] outcomes) => Assert.Empty(await TryFinishAsync(node, outcomes));

    protected Task FinishAsync(
        Held held, OutcomeKind kind = OutcomeKind.Completed, string? result = null, string? error = null, string? reason = null,
        TimeSpan delay = default, bool hasUniqueKey = false, bool isTask = false)
        => FinishAsync(held.Node, held.Outcome(kind, result, error, reason, delay, hasUniqueKey, isTask));

    /// <summary>An entry that a node runs.</summary>
    protected sealed record Held(TestNode Node, long Id, long Fence)
    {
        public RunOutcome Outcome(
            OutcomeKind kind = OutcomeKind.Completed, string? result = null, string? error = null, string? reason = null,
            TimeSpan delay = default, bool hasUniqueKey = false, bool isTask = false)
            => StoreTests.Outcome(Id, Fence, kind, result, error, reason, delay, hasUniqueKey, isTask);
    }

    protected async Task ShiftTimeAsync(TimeSpan age)
    {
        await fixture.ShiftTimeAsync(age, Cancellation);
        foreach (var node in _nodes)
        {
            node.ForgetClaimers();
        }
    }
}
