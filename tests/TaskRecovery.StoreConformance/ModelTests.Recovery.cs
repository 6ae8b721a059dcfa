using TaskRecovery.Storage;
using TaskRecovery.StoreConformance.Model;

namespace TaskRecovery.StoreConformance;

/// <content>Steps for stale workers, operators, deaths and sweeps.</content>
public abstract partial class ModelTests
{
    private static readonly RetentionOptions KeepNothing =
        new() { Completed = TimeSpan.Zero, Failed = TimeSpan.Zero, Cancelled = TimeSpan.Zero };

    /// <summary>Claims that were swept, released or removed, and that the model therefore no longer has, as their nodes remember
    /// them.</summary>
    private readonly List<ModelClaim> _remembered = [];

    private async Task FinishStaleAsync()
    {
        if (_remembered.Count == 0)
        {
            return;
        }

        var claim = Pick(_remembered);
        var outcomes = claim.Ids.Where(_model.Entries.ContainsKey).Select(id => OutcomeOf(claim, id)).ToArray();

        var refused = await claim.Node.Node.Store.FinishAsync(claim.Node.Node.Id, outcomes, Cancellation);

        Note($"{claim.Node.Node.Name} finished stale {string.Join(' ', outcomes.Select(Describe))} "
            + $"refused {string.Join(' ', refused.Select(Describe))}");

        // A stored outcome that has the effect of the one that arrives makes it a repetition, whatever has happened to the entry since.
        var repeated = outcomes.Where(outcome => claim.Finished.ContainsKey(outcome.EntryId)
            || (claim.SettledAs.TryGetValue(outcome.EntryId, out var kind)
                && (kind == outcome.Kind && kind != OutcomeKind.Failed
                    || (kind == OutcomeKind.Cancelled
                        && outcome.Kind is OutcomeKind.Retried or OutcomeKind.Snoozed or OutcomeKind.Released)))).ToArray();
        Assert.True(claim.Node.MayBeForgotten || refused.Intersect(repeated).All(outcome => _model.IsErased(outcome.EntryId)));
        Assert.Empty(outcomes.Except(repeated).Except(refused));
        foreach (var outcome in outcomes)
        {
            await CompareAsync(outcome.EntryId);
        }
    }

    private async Task FinishForAnotherAsync()
    {
        var claims = _model.Claims.Values.Where(claim => claim.Unfinished.Count > 0
            && _model.Nodes.Exists(node => node != claim.Node && node.IsAlive)).ToArray();
        if (claims.Length == 0)
        {
            return;
        }

        var claim = Pick(claims);
        var thief = Pick(_model.Nodes.Where(node => node != claim.Node && node.IsAlive)).Node;
        var outcomes = claim.Unfinished.Select(id => RandomOutcome(id, claim.Fence)).ToArray();

        var refused = await thief.Store.FinishAsync(thief.Id, outcomes, Cancellation);

        Note($"{thief.Name} finished {claim.Node.Node.Name}'s {string.Join(' ', outcomes.Select(Describe))}");
        Assert.Equal(outcomes.Select(outcome => outcome.EntryId).Order(), refused.Select(outcome => outcome.EntryId).Order());
        foreach (var outcome in outcomes)
        {
            await CompareAsync(outcome.EntryId);
        }
    }

    private async Task SaveStepAsync()
    {
        var claims = _model.Claims.Values.Concat(_remembered).Where(claim => claim.Ids.Exists(_model.Entries.ContainsKey)).ToArray();
        if (claims.Length == 0)
        {
            return;
        }

        // One call of a node may carry progress of any of its runs, stale ones too.
        var node = Pick(claims).Node;
        var writes = new List<(ModelClaim Claim, ProgressWrite Write)>();
        for (var count = _random.Next(1, 5); count > 0; count--)
        {
            var claim = Pick(claims.Where(claim => claim.Node == node));
            var key = new ProgressKey(Pick(claim.Ids.Where(_model.Entries.ContainsKey)), null);
            writes.Add((claim, new ProgressWrite(
                key, claim.Fence, _random.Next(3) == 0 ? null : $"step-{claim.Fence}-{_random.Next(3)}", Json("1"))));
        }

        var saved = await Store.SaveProgressAsync(node.Node.Id, [.. writes.Select(item => item.Write)], Cancellation);
        Assert.Equal(writes.Count, saved.Length);
        foreach (var ((claim, write), isSaved) in writes.Zip(saved))
        {
            var id = write.Key.EntryId;
            Note($"{node.Node.Name} saved {write.Step ?? "a checkpoint"} of {id}/{claim.Fence}: {isSaved}");
            if (node.IsAlive || !_model.Runs(id, claim.Fence))
            {
                Assert.Equal(_model.Runs(id, claim.Fence), isSaved);
            }

            if (isSaved)
            {
                _model.Entries[id].HasProgress = true;
                if (write.Step is { } name)
                {
                    _model.Entries[id].Steps.Add(name);
                }
            }
        }

        foreach (var id in writes.Select(item => item.Write.Key.EntryId).Distinct())
        {
            var progress = await Store.LoadProgressAsync(new ProgressKey(id, null), Cancellation);
            Assert.Equal(
                _model.Entries[id].Steps.Order(StringComparer.Ordinal),
                progress.Steps.Keys.Order(StringComparer.Ordinal), StringComparer.Ordinal);
        }
    }

    private async Task CancelOneAsync()
    {
        if (_model.Entries.Count == 0)
        {
            return;
        }

        var entry = Pick(_model.Entries.Values);

        var answer = await Store.CancelAsync(entry.Id, Cancellation);

        Note($"cancel {entry.Id}: {answer}");
        Assert.Equal(!entry.HasEnded, answer);
        if (entry.State == EntryState.Waiting)
        {
            _model.End(entry, EntryState.Cancelled);
        }
        else if (entry.State == EntryState.Running)
        {
            entry.CancelRequested = true;
        }

        await CompareAsync(entry.Id);
    }

    private async Task RetryOneAsync()
    {
        if (_model.Entries.Count == 0)
        {
            return;
        }

        var ended = _model.Entries.Values.Where(entry => entry.HasEnded).ToArray();
        var entry = Pick<ModelEntry>(ended.Length > 0 && _random.Next(4) > 0 ? ended : _model.Entries.Values);
        var expected = !entry.IsErased && entry.State is EntryState.Failed or EntryState.Cancelled
            && (entry.Key is null || _model.KeyHolder(entry.Key) is null);

        var answer = await Store.RetryAsync(entry.Id, RetryFrom.LastStep, Cancellation);

        Note($"retry {entry.Id}: {answer}");
        Assert.Equal(expected, answer == OperatorResult.Done);
        Assert.True(entry.IsErased || answer != OperatorResult.Erased);
        if (expected)
        {
            entry.State = EntryState.Waiting;
            entry.Attempt = 0;
            entry.Crashes = 0;
            entry.Level = entry.Priority;
            entry.DueAt = _model.Clock;
        }

        await CompareAsync(entry.Id);
    }

    private async Task EraseSomeAsync()
    {
        if (_model.Entries.Count == 0)
        {
            return;
        }

        var entry = Pick(_model.Entries.Values);
        var byKey = entry.Key is not null && _random.Next(2) == 0;
        var target = byKey ? EraseTarget.ByUniqueKey(entry.Key!) : EraseTarget.Entry(entry.Id);
        var expected = byKey ? _model.Entries.Values.Where(other => other.Key == entry.Key).ToArray() : [entry];

        var erased = await Store.EraseAsync(target, Cancellation);

        Note($"erased {string.Join(' ', expected.Select(other => other.Id))}: {erased}");
        Assert.Equal(expected.Length, erased);
        foreach (var one in expected)
        {
            _model.Erase(one);
            await CompareAsync(one.Id);
            Assert.Empty((await Store.LoadProgressAsync(new ProgressKey(one.Id, null), Cancellation)).Steps);
        }
    }

    private Task StartANodeAsync()
    {
        if (_model.Nodes.Count(node => node.IsAlive) < 4)
        {
            var node = GivenNode($"node-{_model.Nodes.Count}", _model.Nodes.Count % 3 == 0 ? Fixture.OpenAnother() : Store);
            _model.Nodes.Add(new ModelNode(node));
            Note($"{node.Name} started");
        }

        return Task.CompletedTask;
    }

    private Task KillANodeAsync()
    {
        if (_model.Nodes.Exists(node => node.IsAlive))
        {
            var node = Pick(_model.Nodes.Where(node => node.IsAlive));
            Die(node.Node);
            node.IsAlive = false;
            node.Node.Close();
            Note($"{node.Node.Name} died");
        }

        return Task.CompletedTask;
    }

    private Task StopANodeAsync()
    {
        if (_model.Nodes.Exists(node => node.IsAlive))
        {
            var node = Pick(_model.Nodes.Where(node => node.IsAlive));
            node.Node.Session.Leave(node.Node.Id);
            node.IsAlive = false;
            node.HasLeft = true;
            node.Node.Close();
            Note($"{node.Node.Name} stopped");
        }

        return Task.CompletedTask;
    }

    private async Task SweepAllAsync()
    {
        _remembered.AddRange(_model.Claims.Values.Where(claim => !claim.Node.IsAlive));

        var report = await Store.SweepAsync(_maxCrashes, Cancellation);

        Note($"swept {string.Join(' ', report.Items.Select(item => $"{item.EntryId}:{item.Action}"))}");
        var expected = _model.Sweep(id => report.Items.Any(item => item.EntryId == id && item.Action == RecoveryAction.Recovered));
        Assert.Equal(
            expected.OrderBy(pair => pair.Key).Select(pair => (pair.Key, pair.Value ? RecoveryAction.Closed : RecoveryAction.Recovered)),
            report.Items.OrderBy(item => item.EntryId).Select(item => (item.EntryId!.Value, item.Action)));
        foreach (var id in expected.Keys)
        {
            await CompareAsync(id);
        }
    }

    private async Task GiveBackLostAnswersAsync()
    {
        foreach (var node in _model.Nodes.Where(node => node.IsAlive))
        {
            var lost = _model.Claims.Values.Where(claim => claim.Node == node && claim.AnswerLost).ToArray();
            if (lost.Length == 0)
            {
                continue;
            }

            Assert.Superset(
                lost.Select(claim => claim.Fence).ToHashSet(),
                (await node.Node.Store.ListClaimsAsync(node.Node.Id, Cancellation)).ToHashSet());
            var waiting = lost.Sum(claim => claim.Unfinished.Count(id => !_model.Entries[id].CancelRequested));

            var given = await node.Node.Store.ReleaseClaimsAsync(node.Node.Id, [.. lost.Select(claim => claim.Fence)], Cancellation);

            Note($"{node.Node.Name} gave back {string.Join(' ', lost.Select(claim => claim.Fence))}: {given}");
            Assert.Equal(waiting, given);
            _remembered.AddRange(lost);
            foreach (var claim in lost)
            {
                _model.Release(claim);
            }
        }
    }

    private async Task RemoveSettledAsync()
    {
        if (_model.Claims.Count == 0)
        {
            return;
        }

        var node = Pick(_model.Claims.Values).Node;
        var fences = _model.Claims.Values.Where(claim => claim.Node == node).Select(claim => claim.Fence).ToArray();

        await node.Node.Store.RemoveSettledClaimsAsync(node.Node.Id, fences, Cancellation);

        Note($"{node.Node.Name} removed those of {string.Join(' ', fences)} that are settled");
        foreach (var claim in fences.Select(fence => _model.Claims[fence]).Where(claim => claim.Unfinished.Count == 0))
        {
            _remembered.Add(claim);
            _model.Claims.Remove(claim.Fence);
        }
    }

    private async Task PauseOrResumeAsync()
    {
        _model.Paused = !_model.Paused && _random.Next(3) == 0;
        await Store.SetPausedAsync(DefaultQueue, _model.Paused, Cancellation);
        Note(_model.Paused ? "paused" : "resumed");
    }

    private async Task MoveTheClockAsync()
    {
        var step = Pick([TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2),
            TimeSpan.FromHours(2), TimeSpan.FromMinutes(-10), TimeSpan.FromHours(-1)]);
        await ShiftTimeAsync(step);
        _model.Clock += step;
        Note($"clock moved by {step}");
    }

    private async Task PurgeAllAsync()
    {
        await PurgeAsync(KeepNothing);

        var listed = _model.Claims.Values.SelectMany(claim => claim.Ids).ToHashSet();
        foreach (var entry in _model.Entries.Values.Where(
            entry => entry.HasEnded && (entry.IsErased || !listed.Contains(entry.Id))).ToArray())
        {
            // If the clock was set back, earlier rows seem to be from the future. They may be kept until the clock has reached their time.
            // An erased entry may have been taken out of its claim.
            if ((entry.EndedAt <= _model.Clock && !listed.Contains(entry.Id)) || await Store.FindAsync(entry.Id, Cancellation) is null)
            {
                _model.Entries.Remove(entry.Id);
            }
        }

        _model.Nodes.Where(node => !node.IsAlive).ToList().ForEach(node => node.MayBeForgotten = true);
        Note("purged");
        await CompareAllAsync();
    }
}
