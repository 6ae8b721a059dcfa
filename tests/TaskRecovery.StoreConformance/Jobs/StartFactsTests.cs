using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Jobs;

/// <summary>Compares the answers of the store with <see cref="TaskStartRules"/>, over all combinations of facts that a job can have when
/// its run starts. All runs start at the same moment.</summary>
public abstract class StartFactsTests(StoreFixture fixture) : JobStoreTests(fixture)
{
    private static readonly DateTimeOffset Far = DateTimeOffset.UnixEpoch.AddDays(365 * 400);
    private static readonly bool[] Both = [false, true];

    private enum Origin
    {
        Planned,
        PlannedAndMissed,
        ByHand,
        Retried,
    }

    private enum Change
    {
        None,
        Paused,
        Deleted,
        OtherKind,
    }

    // A run that is not planned is never missed.
    private static IEnumerable<Case> AllCases =>
        from origin in Enum.GetValues<Origin>()
        from missedRuns in Enum.GetValues<MissedRunPolicy>()
        where missedRuns == MissedRunPolicy.RunOnce || origin == Origin.PlannedAndMissed
        from overlap in Enum.GetValues<OverlapPolicy>()
        from isUnfinished in Both
        where !(isUnfinished && origin == Origin.Retried)
        from change in Enum.GetValues<Change>()
        select new Case(origin, missedRuns, overlap, isUnfinished, change);

    [Fact]
    public async Task Every_start_gets_the_verdict_of_the_rules_and_so_does_its_repetition()
    {
        var cases = await GivenCasesAsync();

        var starts = await Task.WhenAll(cases.Select(one => Task.Run(() => StartAsync(one.Run), Cancellation)));
        var again = await Task.WhenAll(cases.Select(one => Task.Run(() => StartAsync(one.Run), Cancellation)));

        foreach (var ((one, run, facts), start, repeated) in cases.Zip(starts, again))
        {
            var expected = TaskStartRules.Judge(facts);
            Assert.True((expected.Decision, expected.Reason) == (start.Decision, start.Reason), $"{one}: expected {expected}, got {start}");
            var decision = start.Decision == TaskStartDecision.Started ? TaskStartDecision.Recovered : start.Decision;
            var isSame = (decision, start.Reason, start.Task?.Id) == (repeated.Decision, repeated.Reason, repeated.Task?.Id);
            Assert.True(isSame, $"{one}: {start}, then {repeated}");
            await ThenIsAppliedAsync(run, facts, expected, start);
        }
    }

    private async Task ThenIsAppliedAsync(Run run, TaskStartFacts facts, TaskStartVerdict expected, TaskStart start)
    {
        if (facts.HoldsClaim)
        {
            Assert.Equal(expected.EndsEntry ? EntryState.Cancelled : EntryState.Running, await StateAsync(run.Held.Id));
        }

        Assert.Equal(start.Task?.Id, start.Task is { } task ? (await FindTaskAsync(task.Id)).Id : null);
        if (expected.Next is { } next)
        {
            // The grid is an hour wide and no run is on its edge: a moment more or less does not matter.
            var job = await FindJobAsync(run.JobId);
            Assert.Equal((next.Due, next.Due), (job.NextRunAt, start.Job!.NextRunAt));
        }
        else if (facts.Job is { IsPlanned: false } planned)
        {
            Assert.Equal(planned.Timing.NextRunAt, (await FindJobAsync(run.JobId)).NextRunAt);
        }
    }

    private async Task<List<(Case Case, Run Run, TaskStartFacts Facts)>> GivenCasesAsync()
    {
        var cases = AllCases.ToList();
        var jobs = new Dictionary<Guid, (Case Case, Job Job)>();
        foreach (var one in cases)
        {
            var job = await GivenJobAsync(one, Far);
            jobs.Add(job.Id, (one, job));
        }

        // The unfinished tasks, and the first attempts of the retried runs.
        var (earlier, node) = (GivenNode(), GivenNode());
        foreach (var (id, (one, _)) in jobs)
        {
            if (one.IsUnfinished || one.Origin == Origin.Retried)
            {
                await Jobs.TriggerAsync(id, null, Cancellation);
            }
        }

        foreach (var run in await ClaimRunsAsync(earlier))
        {
            Assert.Equal(TaskStartDecision.Started, (await StartAsync(run)).Decision);
            if (jobs[run.JobId].Case.Origin == Origin.Retried)
            {
                await FinishTaskAsync(run, OutcomeKind.Retried, error: "boom");
            }
        }

        var now = await Fixture.GetTimeAsync(Cancellation);
        foreach (var (id, (one, _)) in jobs.ToList())
        {
            switch (one.Origin)
            {
                case Origin.Planned or Origin.PlannedAndMissed:
                    jobs[id] = (one, await GivenJobAsync(one, now - (one.Origin == Origin.Planned ? Hour / 2 : 1.5 * Hour)));
                    break;
                case Origin.ByHand:
                    await Jobs.TriggerAsync(id, null, Cancellation);
                    break;
            }
        }

        var runs = await ClaimRunsAsync(node);
        Assert.Equal(cases.Count, runs.Count);
        foreach (var (id, (one, job)) in jobs)
        {
            await ChangeAsync(one, id, job.NextRunAt);
        }

        return runs.ConvertAll(run => (jobs[run.JobId].Case, run, FactsOf(jobs[run.JobId].Case, jobs[run.JobId].Job, now)));
    }

    private Task<Job> GivenJobAsync(Case one, DateTimeOffset startAt, string kind = "report")
    {
        var job = NewJob(one.ToString(), kind: kind, configure: definition => definition with
        {
            MissedRuns = one.MissedRuns,
            Overlap = one.Overlap,
            StartAt = startAt,
        });
        return Jobs.UpsertAsync(job, Cancellation);
    }

    private static async Task<List<Run>> ClaimRunsAsync(TestNode node)
    {
        var batch = await ClaimAsync(node, kinds: EntryKind);
        return [.. batch.Entries.Select(entry => new Run(new Held(node, entry.Id, batch.Fence), entry, ArgsOf(entry.Args).JobId, null))];
    }

    private async Task ChangeAsync(Case one, Guid jobId, DateTimeOffset? startAt)
    {
        switch (one.Change)
        {
            case Change.Paused:
                await Jobs.PauseAsync(jobId, new JobPause(default), Cancellation);
                break;
            case Change.Deleted:
                await Jobs.DeleteAsync(jobId, Cancellation);
                break;
            case Change.OtherKind:
                await GivenJobAsync(one, startAt!.Value, kind: "digest");
                break;
        }
    }

    private static TaskStartFacts FactsOf(Case one, Job job, DateTimeOffset now)
    {
        var isPlanned = one.Origin is Origin.Planned or Origin.PlannedAndMissed;

        // A change of the job ends its planned entry at once, even under its claim.
        var isEnded = isPlanned && one.Change != Change.None;
        return new TaskStartFacts
        {
            Now = now,
            HoldsClaim = !isEnded,
            EndedAs = !isEnded ? null : one.Change == Change.OtherKind ? OutcomeKind.Superseded : OutcomeKind.Cancelled,
            EndReason = !isEnded ? null : one.Change switch
            {
                Change.Paused => EndReasons.JobNotActive,
                Change.Deleted => EndReasons.JobDeleted,
                _ => EndReasons.Superseded,
            },
            Bound = one.Origin == Origin.Retried ? TaskState.Created : null,
            Job = one.Change == Change.Deleted
                ? null
                : new JobStartFacts
                {
                    Timing = one.Change == Change.Paused
                        ? TimingOf(job, JobState.Paused, null, isPlanned)
                        : TimingOf(job, JobState.Active, job.NextRunAt, isPlanned),
                    Missed = new MissedRunRules(one.MissedRuns, null, 100, null, job.UpdatedAt),
                    Overlap = one.Overlap,
                    HasKindOfEntry = one.Change != Change.OtherKind,
                    IsPlanned = isPlanned,
                    HasTaskForDueTime = false,
                    HasUnfinishedTask = one.IsUnfinished,
                },
        };
    }

    private static JobTiming TimingOf(Job job, JobState state, DateTimeOffset? due, bool isPlanned)
        => new() { Name = job.Name, State = state, Schedule = Schedule.Every(Hour), NextRunAt = due, IsPlanned = isPlanned };

    private sealed record Case(Origin Origin, MissedRunPolicy MissedRuns, OverlapPolicy Overlap, bool IsUnfinished, Change Change);
}
