using TaskRecovery.Storage;
using TaskRecovery.StoreConformance.Model;

namespace TaskRecovery.StoreConformance;

/// <content>Steps of nodes, and what is checked at each start.</content>
public abstract partial class JobModelTests
{
    private async Task ClaimSomeAsync()
    {
        var node = PickNode();
        var batch = await ClaimAsync(node.Node, _random.Next(1, 6), kinds: EntryKind);
        _runs.AddRange(batch.Entries.Select(entry => new ModelRun(node, entry, batch.Fence, ArgsOf(entry.Args))));
        Note($"{node.Node.Name} claimed {batch.Fence}: {string.Join(' ', batch.Entries.Select(entry => entry.Id))}");
    }

    // At the same moment, as on several nodes: PostgreSQL judges some of them in one batch, and others in batches that run beside it.
    private async Task StartSomeAsync()
    {
        var runs = _runs.Where(run => !run.IsActive && _random.Next(3) > 0).ToList();
        var jobs = (await Jobs.ListAsync(Cancellation)).ToDictionary(job => job.Id);
        var before = await Fixture.GetTimeAsync(Cancellation);
        var starts = await Task.WhenAll(runs.Select(run => Jobs.StartTaskAsync(run.Request, Cancellation)));
        var after = await Fixture.GetTimeAsync(Cancellation);
        var earlier = _runs.Where(run => run.IsActive).ToHashSet();
        foreach (var (run, start) in runs.Zip(starts))
        {
            var isLost = _random.Next(10) == 0;
            Note($"{run.Node.Node.Name} started {run}: {start.Decision} ({start.Reason}) {start.Task}{(isLost ? " (answer lost)" : "")}");
            Assert.NotEqual(TaskStartDecision.ClaimLost, start.Decision);
            var job = jobs.GetValueOrDefault(run.Args.JobId);
            if (start.Decision is TaskStartDecision.Started or TaskStartDecision.Recovered)
            {
                var isFirst = CheckOverlap(run, start.Task!, job!, earlier);
                CheckLateness(run, start, job!, before, after);
                if (isFirst && start.Decision == TaskStartDecision.Recovered && !_retried.Contains(start.Task!.Id))
                {
                    CheckDeadlineOfQueued(run, start.Task, job!, before);
                }

                run.IsActive = !isLost;
            }

            if (start.Job is { } planned && planned.NextRunAt != job?.NextRunAt)
            {
                CheckEnd(planned);
                Assert.True(planned
                    is not { Except: not null, NextRunAt.Minute: < 15 }, $"{planned} is planned for {planned.NextRunAt:O}, an exception.");
            }

            // If the answer is lost, the node asks again, or gives the run back.
            run.Start = isLost ? null : start;
        }
    }

    // As a node does that cancels or releases a run before the store has answered its start.
    private async Task EndSomeWhileTheyStartAsync()
    {
        foreach (var run in _runs.FindAll(run => !run.IsActive && run.Node.IsAlive && _random.Next(3) == 0))
        {
            var kind = Pick([OutcomeKind.Cancelled, OutcomeKind.Released]);
            var starting = Task.Run(() => Jobs.StartTaskAsync(run.Request, Cancellation), Cancellation);
            var refused = await TryFinishAsync(run.Node.Node, Outcome(run.Entry.Id, run.Fence, kind, isTask: true));
            var start = await starting;
            Note($"{run.Node.Node.Name} ended {run} as {kind}{(refused.Count > 0 ? " (refused)" : "")} while it started: {start.Decision}");
            if (start is { Decision: TaskStartDecision.Started or TaskStartDecision.Recovered, Task: { } task })
            {
                _started.Add(task.Id);
            }

            _runs.Remove(run);
        }
    }

    // A run starts beside another one only if one of the two may overlap, and one that started before may go on beside it.
    private bool CheckOverlap(ModelRun run, TaskRecord task, Job job, HashSet<ModelRun> earlier)
    {
        var isFirst = _started.Add(task.Id);
        run.MayOverlap = (run.Args.Overlap ?? job.Overlap) == OverlapPolicy.Allow;
        if (!run.MayOverlap)
        {
            var beside = _runs.Find(other => other.IsActive && other.Args.JobId == job.Id
                && (!other.MayOverlap || (isFirst && earlier.Contains(other))));
            Assert.True(beside is null, $"{run} started beside {beside}.");
        }

        return isFirst;
    }

    private static void CheckDeadlineOfQueued(ModelRun run, TaskRecord task, Job job, DateTimeOffset before)
    {
        var late = before - (task.IsCatchUp ? task.CreatedAt : task.DueAt);
        Assert.False(late > job.ExpiresAfter, $"{run} waited, and started {late} late; it expires after {job.ExpiresAfter}.");
    }

    private static void CheckLateness(ModelRun run, TaskStart start, Job job, DateTimeOffset before, DateTimeOffset after)
    {
        // After the end of its job, only a run starts that was requested before.
        Assert.True(start.Decision == TaskStartDecision.Recovered || job.State != JobState.Paused, $"{run} of {job} started.");
        Assert.True(job.State != JobState.Ended || start.Task?.DueAt is null || start.Task.DueAt == run.Args.DueAt
            || start.Decision == TaskStartDecision.Recovered, $"{run} of {job} was planned, and started.");
        if (start is not { Decision: TaskStartDecision.Started, Task.DueAt: { } due }
            || run.Args is { DueAt: not null, IsPlanned: false } || job.Schedule.Interval is not { } interval
            || due != job.NextRunAt)
        {
            return;
        }

        Assert.True(due <= job.EndAt || job.EndAt is null, $"{run} is due at {due:O}, after the end {job.EndAt:O}.");
        var (missed, missedAtTheEnd) = ((before - due).Ticks / interval.Ticks, (after - due).Ticks / interval.Ticks);
        if (missed != missedAtTheEnd || job.Except is not null || job.EndAt is not null || job.StartAt > due)
        {
            return;
        }

        var latest = due + (missed * interval);
        var isMissed = missed > 0;
        Assert.Equal(isMissed, start.Task!.IsCatchUp);
        Assert.False(isMissed && job.MissedRuns == MissedRunPolicy.Skip, $"{run} was missed, and started.");
        var late = before - (job.MissedRuns == MissedRunPolicy.RunAll ? due : latest);
        Assert.False(late > job.ExpiresAfter, $"{run} started {late} late; it expires after {job.ExpiresAfter}.");
        Assert.False(isMissed && late > job.CatchUpWithin, $"{run} started {late} late; it is made up for within {job.CatchUpWithin}.");
        Assert.False(
            job.MissedRuns == MissedRunPolicy.RunAll
                && missed >= job.CatchUpLimit, $"{run} started, {missed} due times late; {job.CatchUpLimit} are made up for.");
    }

    private static void CheckEnd(Job job)
        => Assert.False(job is { State: JobState.Active, NextRunAt: { } next }
            && next > job.EndAt, $"{job} ends at {job.EndAt:O}, and is planned for {job.NextRunAt:O}.");

    private async Task FinishSomeAsync()
    {
        foreach (var run in _runs.Where(run => run.Node.IsAlive && run.Start is not null && _random.Next(2) == 0).ToList())
        {
            await FinishAsync(run, Pick([OutcomeKind.Completed, OutcomeKind.Completed,
                OutcomeKind.Failed, OutcomeKind.Cancelled, OutcomeKind.Retried, OutcomeKind.Released]));
        }
    }

    private async Task FinishAsync(ModelRun run, OutcomeKind kind)
    {
        var (outcome, reason, delay) = run.Start!.Decision switch
        {
            TaskStartDecision.Started or TaskStartDecision.Recovered
                => (kind, kind == OutcomeKind.Cancelled ? EndReasons.CancelledByWorker : null, TimeSpan.Zero),
            TaskStartDecision.Wait => (OutcomeKind.Snoozed, null, TimeSpan.FromSeconds(15)),
            TaskStartDecision.Superseded => (OutcomeKind.Superseded, EndReasons.Superseded, TimeSpan.Zero),
            TaskStartDecision.ClaimLost => (OutcomeKind.Released, null, TimeSpan.Zero),
            _ => (OutcomeKind.Cancelled, run.Start.Reason, TimeSpan.Zero),
        };
        var refused = await TryFinishAsync(
            run.Node.Node, Outcome(
                run.Entry.Id, run.Fence, outcome, error: kind == OutcomeKind.Retried ? "boom" : null,
                reason: reason, delay: delay, isTask: true));
        Note($"{run.Node.Node.Name} finished {run}: {outcome}{(refused.Count > 0 ? " (refused)" : "")}");
        Assert.True(refused.Count == 0 || run.Start.Decision == TaskStartDecision.ClaimLost, $"The outcome of {run} was refused.");
        _runs.Remove(run);
    }

    private ModelNode PickNode()
    {
        if (!_nodes.Exists(node => node.IsAlive))
        {
            _nodes.Add(new ModelNode(GivenNode($"model-{_nodes.Count}")));
        }

        if (_nodes.Count(node => node.IsAlive) < 3 && _random.Next(4) == 0)
        {
            _nodes.Add(new ModelNode(GivenNode($"model-{_nodes.Count}")));
        }

        return Pick(_nodes.FindAll(node => node.IsAlive));
    }

    private async Task KillANodeAsync()
    {
        if (_nodes.FindAll(node => node.IsAlive) is { Count: > 0 } alive)
        {
            await KillAsync(Pick(alive));
        }
    }

    private async Task KillAsync(ModelNode node)
    {
        Die(node.Node);
        node.IsAlive = false;
        var stale = _runs.FindAll(run => run.Node == node);
        var report = await SweepAsync();
        Note($"{node.Node.Name} died; swept {string.Join(' ', report.Items.Select(item => $"{item.EntryId}:{item.Action}"))}");

        // A start that the node sent before it died arrives late, and changes nothing.
        foreach (var run in stale.Where(run => run.Start is null))
        {
            Assert.NotInRange(
                (await Jobs.StartTaskAsync(run.Request, Cancellation)).Decision, TaskStartDecision.Started, TaskStartDecision.Recovered);
        }

        node.Node.Close();
        _runs.RemoveAll(stale.Contains);
    }

    // As the node does with a claim whose answer it did not get.
    private async Task ReleaseAClaimAsync()
    {
        var claims = _runs.Where(run => run.Node.IsAlive).GroupBy(run => (run.Node, run.Fence)).Where(
            claim => claim.All(run => !run.IsActive && run.Start is null)).ToList();
        if (claims.Count > 0)
        {
            var claim = Pick(claims);
            Note($"{claim.Key.Node.Node.Name} released {claim.Key.Fence}: {await Store.ReleaseClaimsAsync(
                claim.Key.Node.Node.Id, [claim.Key.Fence], Cancellation)}");
            _runs.RemoveAll(claim.Contains);
        }
    }

    /// <summary>Everything that was started or waits is completed, and every active job has its next run.</summary>
    private async Task EndAsync()
    {
        foreach (var node in _nodes.FindAll(node => node.IsAlive))
        {
            await KillAsync(node);
        }

        foreach (var job in await Jobs.ListAsync(Cancellation))
        {
            await Jobs.ResumeAsync(job.Id, Cancellation);
        }

        await RecoverAsync();

        // An entry that was put back before the clock was set back is due at the later time.
        await ShiftTimeAsync(SetsTheClockBack ? Hour : TimeSpan.Zero);
        for (var round = 0; round < 100 && !await IsAllDoneAsync(); round++)
        {
            await ClaimSomeAsync();
            await StartSomeAsync();
            foreach (var run in _runs.FindAll(run => run.Start is not null))
            {
                await FinishAsync(run, OutcomeKind.Completed);
            }

            await ShiftTimeAsync(TimeSpan.FromSeconds(16) + TimeSpan.FromMilliseconds(_random.Next(1, 1000)));
        }

        Assert.True(await IsAllDoneAsync(), $"Not done: {string.Join(", ", await UnfinishedAsync())}");
        await RecoverAsync();
        var planned = new HashSet<Guid>();
        foreach (var entry in await WaitingRunsAsync())
        {
            // A list has no arguments.
            planned.Add(ArgsOf(Json((await FindAsync(entry.Id)).Args)).JobId);
        }

        Assert.All(
            (await Jobs.ListAsync(Cancellation)).Where(job => job.State == JobState.Active), job => Assert.Contains(job.Id, planned));
    }

    private async Task<bool> IsAllDoneAsync() => _runs.Count == 0 && (await UnfinishedAsync()).Count == 0;

    private async Task<List<string>> UnfinishedAsync()
    {
        var tasks = await Jobs.ListTasksAsync(null, null, 1000, Cancellation);
        return [.. tasks.Where(task => task.State is TaskState.Created or TaskState.Running).Select(task => task.ToString()!)];
    }
}
