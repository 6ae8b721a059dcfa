using System.Globalization;
using System.Security.Cryptography;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance.Model;

namespace TaskRecovery.StoreConformance;

/// <summary>Runs random sequences of everything that nodes and operators do, with crashes, lost answers and stale workers. Compares the
/// store with a small model, and checks the invariant after every ten steps.</summary>
public abstract partial class ModelTests(StoreFixture fixture) : StoreTests(fixture)
{
    /// <summary>The environment variable that sets the random seed, to repeat a failed run.</summary>
    public const string SeedVariable = "TASKRECOVERY_MODEL_SEED";

    private const int Steps = 1500;
    private const int StepsPerCheck = 10;

    private readonly List<string> _journal = [];
    private Random _random = new(0);
    private int _maxCrashes = MaxCrashes;
    private StoreModel _model = new(MaxCrashes);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public Task The_store_does_what_the_model_does(int seed) => RunAsync(seed);

    [Fact]
    public Task The_store_does_what_the_model_does_from_a_random_seed()
        => RunAsync(int.TryParse(Environment.GetEnvironmentVariable(SeedVariable), CultureInfo.InvariantCulture, out var seed) ? seed
            : RandomNumberGenerator.GetInt32(int.MaxValue));

    private async Task RunAsync(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"{SeedVariable}={seed}");
        _random = new Random(seed);
        _maxCrashes = seed % 3 == 0 ? 1 : MaxCrashes;
        _model = new StoreModel(_maxCrashes);
        (int Weight, Func<Task> Run)[] operations =
        [
            (10, EnqueueSomeAsync), (5, EnqueueSomeAsClaimedAsync), (2, RollBackAnEnqueueAsync), (22, ClaimSomeAsync),
            (22, FinishSomeAsync), (8, FinishStaleAsync), (2, FinishForAnotherAsync), (6, SaveStepAsync), (3, CancelOneAsync),
            (4, RetryOneAsync), (2, EraseSomeAsync), (4, KillANodeAsync), (1, StopANodeAsync),
            (4, StartANodeAsync), (4, SweepAllAsync), (3, GiveBackLostAnswersAsync),
            (4, RemoveSettledAsync), (1, PauseOrResumeAsync), (2, PurgeAllAsync), (2, CompareAllAsync), (2, MoveTheClockAsync),
        ];
        var total = operations.Sum(operation => operation.Weight);

        // The check reads all tables, and takes longer than a step. A repeated run finds the step after which it fails.
        var stepsPerCheck = Environment.GetEnvironmentVariable(SeedVariable) is null ? StepsPerCheck : 1;
        for (var step = 0; step < Steps; step++)
        {
            try
            {
                var pick = _random.Next(total);
                await operations.First(operation => (pick -= operation.Weight) < 0).Run();
                if ((step + 1) % stepsPerCheck == 0 || step == Steps - 1)
                {
                    Assert.Empty(await Store.CheckInvariantsAsync(Cancellation));
                }
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                Assert.Fail($"{SeedVariable}={seed}, step {step}:\n{string.Join('\n', _journal.TakeLast(60))}\n{exception}");
            }
        }

        await CompareAllAsync();
    }

    private async Task EnqueueSomeAsync()
    {
        var entries = Enumerable.Range(0, _random.Next(1, 6)).Select(_ => RandomEntry()).ToArray();

        var results = await Any(_model.Nodes, node => node.IsAlive).Store.EnqueueAsync(entries, null, Cancellation);

        Note($"enqueued {string.Join(' ', results)}");
        for (var index = 0; index < entries.Length; index++)
        {
            var key = entries[index].UniqueKey;
            var holder = key is null ? null : _model.KeyHolder(key);
            Assert.Equal(holder is not null, results[index].IsDuplicate);
            if (holder is null)
            {
                _model.Entries.Add(results[index].Id, new ModelEntry(results[index].Id, entries[index].Priority, key)
                {
                    DueAt = _model.Clock,
                    EndedAt = _model.Clock,
                });
            }
            else
            {
                Assert.Equal(holder.Id, results[index].Id);
            }
        }
    }

    // The model does not check whether the store was allowed to claim the new entries before entries behind the claimer's position; tests
    // of single cases do.
    private async Task EnqueueSomeAsClaimedAsync()
    {
        var node = await PickClaimingNodeAsync();
        var entries = Enumerable.Range(0, _random.Next(1, 4)).Select(_ => RandomEntry() with { UniqueKey = null }).ToArray();
        var answerLost = _random.Next(10) == 0;
        var anyBefore = _model.Due.Any(entry => entry.Level >= -1 && entry.Level <= entries.Max(added => added.Priority));
        if (await node.Node.Claimer().EnqueueAsync(entries, Cancellation) is not { } stored)
        {
            return;
        }

        Note($"{node.Node.Name} stored {string.Join(' ', stored.Results)} under "
            + $"claim {stored.Batch.Fence}{(answerLost ? " (answer lost)" : "")}");
        foreach (var (result, entry) in stored.Results.Zip(entries))
        {
            _model.Entries.Add(
                result.Id, new ModelEntry(result.Id, entry.Priority, key: null) { DueAt = _model.Clock, EndedAt = _model.Clock });
        }

        Assert.Equal(!node.IsAlive, stored.Batch.NodeIsDead);
        if (node.IsAlive && !_model.Paused && (!anyBefore || stored.Batch.Fence != 0))
        {
            Assert.Equal(stored.Results.Select(result => result.Id), stored.Batch.Entries.Select(entry => entry.Id).Order());
            Assert.True(stored.Batch.Fence > _model.LastFence);
            _model.Claim(node, stored.Batch.Fence, stored.Results.Select(result => result.Id), answerLost);
        }
        else
        {
            Assert.Equal((0L, 0), (stored.Batch.Fence, stored.Batch.Entries.Count));
        }
    }

    private async Task RollBackAnEnqueueAsync()
    {
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        var results = await Store.EnqueueAsync([RandomEntry()], transaction, Cancellation);
        await transaction.RollbackAsync(Cancellation);
        Note($"rolled back {results[0]}");
    }

    private async Task ClaimSomeAsync()
    {
        var node = await PickClaimingNodeAsync();
        var limit = _random.Next(1, 9);
        var allowance = new SuspectAllowance(_maxCrashes, Pick([1000, 1000, 2, 0, 0]), Pick([1, 1, 1, 0]));
        var rewound = _random.Next(2) == 0;
        var answerLost = _random.Next(10) == 0;
        if (rewound)
        {
            // A new claimer begins at the front. One that is told to rewind may wait for that, if the last scan from the front took long.
            node.Node.ForgetClaimers();
        }

        var claimer = node.Node.Claimer();

        var batch = await claimer.ClaimAsync(limit, allowance, Cancellation);

        Note($"{node.Node.Name} claimed {batch.Fence}: {string.Join(
            ' ', batch.Entries.Select(entry => entry.Id))}{(answerLost ? " (answer lost)" : "")} of {limit} with {allowance}");
        Assert.Equal(!node.IsAlive, batch.NodeIsDead);
        Assert.True(batch.Entries.Count <= limit);
        Assert.True(node.IsAlive && !_model.Paused || batch.Entries.Count == 0);
        var claimed = batch.Entries.Select(entry => _model.Entries[entry.Id]).ToArray();
        CheckClaimed(batch, claimed);
        Assert.True(claimed.Count(IsAtLastChance) <= allowance.LastChances);
        Assert.True(claimed.Count(IsSuspect) <= allowance.Suspects);
        if (batch.Entries.Count > 0)
        {
            Assert.True(batch.Fence > _model.LastFence);
            _model.Claim(node, batch.Fence, claimed.Select(entry => entry.Id), answerLost);
        }

        if (rewound && node.IsAlive && !_model.Paused && batch.Entries.Count < limit)
        {
            Assert.DoesNotContain(_model.Due, entry => !IsSuspect(entry) && !IsAtLastChance(entry));
            Assert.True(claimed.Any(IsAtLastChance) || allowance.LastChances == 0 || !_model.Due.Any(IsAtLastChance));
            Assert.True(claimed.Count(IsSuspect) == allowance.Suspects || !_model.Due.Any(IsSuspect));
        }
    }

    // Usually a living node.
    private async Task<ModelNode> PickClaimingNodeAsync()
    {
        if (!_model.Nodes.Exists(node => node.IsAlive))
        {
            await StartANodeAsync();
        }

        return _random.Next(20) == 0 ? Pick(_model.Nodes) : Pick(_model.Nodes.Where(node => node.IsAlive));
    }

    private bool IsAtLastChance(ModelEntry entry) => entry.Level <= -_maxCrashes;

    private bool IsSuspect(ModelEntry entry) => entry.Level <= -2 && !IsAtLastChance(entry);

    private void CheckClaimed(ClaimBatch batch, ModelEntry[] claimed)
    {
        Assert.All(claimed, entry => Assert.Contains(entry, _model.Due));
        Assert.Equal(claimed.Select(entry => entry.Level).Order(), claimed.Select(entry => entry.Level));
        Assert.Equal(claimed.Select(entry => (entry.Attempt + 1, entry.Crashes)), batch.Entries.Select(
            entry => (entry.Attempt, entry.Crashes)));
        Assert.Equal(claimed.Select(entry => entry.Key is not null), batch.Entries.Select(entry => entry.HasUniqueKey));
        Assert.All(batch.Entries, entry => Assert.False(entry.CancelRequested));
    }

    private async Task FinishSomeAsync()
    {
        var claims = _model.Claims.Values.Where(claim => claim is { AnswerLost: false, Unfinished.Count: > 0 }).ToArray();
        if (claims.Length == 0)
        {
            return;
        }

        var node = Pick(claims).Node;
        var outcomes = claims.Where(claim => claim.Node == node)
            .SelectMany(claim => claim.Ids.Where(_ => _random.Next(3) > 0).Select(id => OutcomeOf(claim, id)))
            .ToArray();
        var expected = outcomes.Where(outcome => _model.Runs(outcome.EntryId, outcome.Fence)).ToArray();

        var refused = await node.Node.Store.FinishAsync(node.Node.Id, outcomes, Cancellation);

        Note($"{node.Node.Name} finished {string.Join(' ', outcomes.Select(Describe))} "
            + $"refused {string.Join(' ', refused.Select(Describe))}");
        if (node.IsAlive)
        {
            Assert.All(refused, outcome => Assert.True(
                _model.Claims[outcome.Fence].SettledAs.ContainsKey(outcome.EntryId) || _model.IsErased(outcome.EntryId)));
        }

        // A dead node that was not swept yet may be rejected or accepted; apply what was accepted to the model.
        foreach (var outcome in expected.Except(refused))
        {
            _model.Finish(outcome);
            await CompareAsync(outcome.EntryId);
        }
    }

    private async Task CompareAllAsync()
    {
        var found = new List<QueueEntry>();
        long? before = null;
        do
        {
            var page = await Store.ListAsync(new EntryFilter { Limit = 1000, Before = before }, Cancellation);
            found.AddRange(page.Entries);
            before = page.NextBefore;
        }
        while (before is not null);

        Assert.Equal(_model.Entries.Keys.OrderDescending(), found.Select(entry => entry.Id));
        found.ForEach(Compare);
        foreach (var node in _model.Nodes)
        {
            var fences = await Store.ListClaimsAsync(node.Node.Id, Cancellation);
            Assert.Equal(
                _model.Claims.Values.Where(claim => claim.Node == node && claim.Unfinished.Count > 0).Select(claim => claim.Fence).Order(),
                fences.Where(fence => _model.Claims.TryGetValue(fence, out var claim) && claim.Unfinished.Count > 0).Order());
            Assert.All(fences, fence => Assert.True(_model.Claims.ContainsKey(fence), $"Claim {fence} should be gone."));
        }
    }

    private async Task CompareAsync(long entryId)
    {
        var found = await FindAsync(entryId);
        Compare(found);

        // A list has no payloads.
        var entry = _model.Entries[entryId];
        Assert.Equal((entry.IsErased, entry.Key), (found.Args.Length == 0, found.UniqueKey));
    }

    private void Compare(QueueEntry found)
    {
        var entry = _model.Entries[found.Id];
        Assert.True(entry.State == found.State, $"{entry} but was {found}");
        if (entry.HasEnded)
        {
            Assert.NotNull(found.EndedAt);
            return;
        }

        Assert.True(entry.Crashes == found.Crashes && entry.Attempt + (entry.State == EntryState.Running ? 1 : 0) == found.Attempt
            && entry.CancelRequested == found.CancelRequested, $"{entry} but was {found}");
    }

    private NewEntry RandomEntry() => Entry(priority: _random.Next(10), key: _random.Next(4) == 0 ? $"key-{_random.Next(12)}" : null);

    /// <summary>Returns the outcome that was sent before, if its answer may have been lost; otherwise a new one.</summary>
    private RunOutcome OutcomeOf(ModelClaim claim, long id)
        => claim.Finished.TryGetValue(id, out var sent) ? sent : RandomOutcome(id, claim.Fence);

    private RunOutcome RandomOutcome(long id, long fence)
    {
        var kind = Pick([
            OutcomeKind.Completed, OutcomeKind.Completed, OutcomeKind.Completed,
            OutcomeKind.Failed, OutcomeKind.Cancelled, OutcomeKind.Retried, OutcomeKind.Retried,
            OutcomeKind.Snoozed, OutcomeKind.Released]);
        var later = kind is OutcomeKind.Retried or OutcomeKind.Snoozed && _random.Next(10) == 0;
        var hasKey = _model.Entries.TryGetValue(id, out var entry) && entry.Key is not null;
        return Outcome(
            id, fence, kind, error: kind is OutcomeKind.Failed or OutcomeKind.Retried ? "boom" : null,
            delay: later ? TimeSpan.FromHours(1) : default, hasUniqueKey: hasKey);
    }

    private static string Describe(RunOutcome outcome) => $"{outcome.EntryId}/{outcome.Fence}:{outcome.Kind}";

    private void Note(string what) => _journal.Add(what);

    private T Pick<T>(IEnumerable<T> from)
    {
        var list = from.ToArray();
        return list[_random.Next(list.Length)];
    }

    private TestNode Any(IEnumerable<ModelNode> nodes, Func<ModelNode, bool> condition) => nodes.FirstOrDefault(condition)?.Node ?? Judge;
}
