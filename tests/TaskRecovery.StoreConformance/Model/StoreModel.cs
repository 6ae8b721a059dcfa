using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Model;

/// <summary>The expected contents of a store, in a few lists: the protocol without a database.</summary>
internal sealed class StoreModel(int maxCrashes)
{
    public Dictionary<long, ModelEntry> Entries { get; } = [];

    public Dictionary<long, ModelClaim> Claims { get; } = [];

    public List<ModelNode> Nodes { get; } = [];

    public long LastFence { get; set; }

    public bool Paused { get; set; }

    /// <summary>The total time by which the store's clock was moved.</summary>
    public TimeSpan Clock { get; set; }

    public IEnumerable<ModelEntry> Due => Entries.Values.Where(entry => entry.State == EntryState.Waiting && entry.DueAt <= Clock);

    public ModelEntry? KeyHolder(string key) => Entries.Values.FirstOrDefault(entry => entry.Key == key && !entry.HasEnded);

    /// <summary>Whether the store must accept an outcome of a run: its claim exists, and the entry has no outcome under it.</summary>
    public bool Runs(long entryId, long fence) => Claims.TryGetValue(fence, out var claim) && claim.Unfinished.Contains(entryId);

    /// <summary>Whether an entry was erased, or removed since. Its claim no longer lists it, so that a repeated outcome may be
    /// refused.</summary>
    public bool IsErased(long entryId) => !Entries.TryGetValue(entryId, out var entry) || entry.IsErased;

    public void Claim(ModelNode node, long fence, IEnumerable<long> ids, bool answerLost)
    {
        var claim = new ModelClaim(fence, node, answerLost);
        foreach (var id in ids)
        {
            claim.Ids.Add(id);
            claim.Unfinished.Add(id);
            var entry = Entries[id];
            entry.State = EntryState.Running;
            entry.Fence = fence;
            entry.HasProgress = false;
        }

        LastFence = fence;
        Claims.Add(fence, claim);
    }

    public void Finish(RunOutcome outcome)
    {
        Settle(outcome.EntryId, outcome.Fence).Finished.Add(outcome.EntryId, outcome);
        var entry = Entries[outcome.EntryId];
        switch (outcome.Kind)
        {
            case OutcomeKind.Completed:
                End(entry, EntryState.Completed);
                break;
            case OutcomeKind.Failed:
                End(entry, EntryState.Failed);
                break;
            case OutcomeKind.Cancelled:
                End(entry, EntryState.Cancelled);
                break;
            default:
                entry.Attempt += outcome.Kind == OutcomeKind.Retried ? 1 : 0;
                GoBack(entry, first: outcome.Kind == OutcomeKind.Released);
                entry.DueAt = Clock + outcome.Delay;
                break;
        }
    }

    /// <summary>The node stopped normally, or did not know of its claim: no attempt or crash is counted.</summary>
    public void Release(ModelClaim claim)
    {
        foreach (var id in claim.Unfinished.ToArray())
        {
            Settle(id, claim.Fence);
            GoBack(Entries[id], first: true);
            claim.SettledAs.Add(id, Entries[id].State == EntryState.Waiting ? OutcomeKind.Released : OutcomeKind.Cancelled);
        }

        Claims.Remove(claim.Fence);
    }

    /// <summary>The node died. Returns the expected result of a sweep by entry: <see langword="true"/> for entries that end.</summary>
    /// <param name="goesOn">Whether the store recovered an entry. It decides where an erased entry of the same claim may have been the
    /// suspect: then a store may give the entry a last chance.</param>
    public Dictionary<long, bool> Sweep(Predicate<long> goesOn)
    {
        var ended = new Dictionary<long, bool>();
        foreach (var node in Nodes.Where(node => !node.IsAlive))
        {
            var claims = Claims.Values.Where(claim => claim.Node == node).ToArray();
            var suspects = claims.Sum(claim => claim.Unfinished.Count(id => Entries[id].Crashes >= Math.Min(2, maxCrashes)));
            foreach (var claim in claims)
            {
                var ids = claim.Unfinished.ToArray();
                if (node.HasLeft)
                {
                    Release(claim);
                }

                foreach (var id in ids)
                {
                    if (!node.HasLeft)
                    {
                        Settle(id, claim.Fence);
                        Lose(Entries[id], suspects, hasDoubt: claim.ListsErased && goesOn(id));
                        claim.SettledAs.Add(id, Entries[id].State switch
                        {
                            EntryState.Waiting => OutcomeKind.Lost,
                            EntryState.Failed => OutcomeKind.Failed,
                            _ => OutcomeKind.Cancelled,
                        });
                    }

                    ended.Add(id, Entries[id].State != EntryState.Waiting);
                }

                Claims.Remove(claim.Fence);
            }
        }

        return ended;
    }

    /// <summary>Ends an entry that has not ended, under its claim if it runs, and blanks what the application stored.</summary>
    public void Erase(ModelEntry entry)
    {
        if (entry.State == EntryState.Running)
        {
            Settle(entry.Id, entry.Fence).SettledAs.Add(entry.Id, OutcomeKind.Cancelled);
        }

        if (!entry.HasEnded)
        {
            End(entry, EntryState.Cancelled);
        }

        foreach (var claim in Claims.Values.Where(claim => claim.Ids.Contains(entry.Id)))
        {
            claim.ListsErased = true;
        }

        entry.IsErased = true;
        entry.Key = null;
        entry.Steps.Clear();
    }

    private void Lose(ModelEntry entry, int suspects, bool hasDoubt)
    {
        var wasSuspect = entry.Crashes >= Math.Min(2, maxCrashes);
        var crashes = entry.HasProgress ? 1 : entry.Crashes + 1;
        if (crashes > maxCrashes && wasSuspect && suspects == 1 && !hasDoubt && !entry.CancelRequested)
        {
            End(entry, EntryState.Failed);
            return;
        }

        entry.Crashes = Math.Min(crashes, maxCrashes);
        GoBack(entry, first: true);
    }

    private void GoBack(ModelEntry entry, bool first)
    {
        if (entry.CancelRequested)
        {
            End(entry, EntryState.Cancelled);
            return;
        }

        entry.State = EntryState.Waiting;
        entry.DueAt = Clock;
        entry.Level = entry.Crashes switch
        {
            0 => entry.Priority,
            1 => first ? -1 : entry.Priority,
            _ => -entry.Crashes,
        };
    }

    public void End(ModelEntry entry, EntryState state)
    {
        entry.State = state;
        entry.CancelRequested = false;
        entry.EndedAt = entry.EndedAt < Clock ? Clock : entry.EndedAt;
    }

    private ModelClaim Settle(long entryId, long fence)
    {
        var claim = Claims[fence];
        Assert.True(claim.Unfinished.Remove(entryId));
        return claim;
    }
}

/// <summary>The expected state of an entry.</summary>
internal sealed class ModelEntry(long id, int priority, string? key)
{
    public long Id => id;

    public int Priority { get; } = priority;

    public string? Key { get; set; } = key;

    /// <summary>Whether what the application stored is gone.</summary>
    public bool IsErased { get; set; }

    public EntryState State { get; set; } = EntryState.Waiting;

    /// <summary>Attempts spent before the current run.</summary>
    public int Attempt { get; set; }

    public int Crashes { get; set; }

    public int Level { get; set; } = priority;

    public long Fence { get; set; }

    public bool CancelRequested { get; set; }

    /// <summary>Whether a step was stored under the current fence.</summary>
    public bool HasProgress { get; set; }

    /// <summary>For a waiting entry: the earliest time of its next run.</summary>
    public TimeSpan DueAt { get; set; }

    /// <summary>The latest time in the entry's history.</summary>
    public TimeSpan EndedAt { get; set; }

    public HashSet<string> Steps { get; } = new(StringComparer.Ordinal);

    public bool HasEnded => State is not (EntryState.Waiting or EntryState.Running);

    public override string ToString()
        => $"entry {id}: {State} attempt {Attempt} crashes {Crashes} level {Level} fence {Fence} cancel {CancelRequested}";
}

/// <summary>The expected state of a claim.</summary>
internal sealed class ModelClaim(long fence, ModelNode node, bool answerLost)
{
    public long Fence => fence;

    public ModelNode Node => node;

    public bool AnswerLost => answerLost;

    public List<long> Ids { get; } = [];

    /// <summary>Whether one of the entries was erased while the claim existed.</summary>
    public bool ListsErased { get; set; }

    public HashSet<long> Unfinished { get; } = [];

    /// <summary>The outcomes that the node itself has stored under this claim.</summary>
    public Dictionary<long, RunOutcome> Finished { get; } = [];

    /// <summary>The outcomes stored under this claim by a sweep, by an operator who erased the entry, or by the node when it released a
    /// claim that it did not know of.</summary>
    public Dictionary<long, OutcomeKind> SettledAs { get; } = [];
}

/// <summary>The expected state of a node.</summary>
internal sealed class ModelNode(TestNode node)
{
    public TestNode Node => node;

    public bool IsAlive { get; set; } = true;

    public bool HasLeft { get; set; }

    /// <summary>Whether the node was dead when history was purged: its row may have been removed.</summary>
    public bool MayBeForgotten { get; set; }
}
