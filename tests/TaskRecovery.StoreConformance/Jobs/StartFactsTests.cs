using System.Globalization;
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
        Backfilled,
        Queued,
        Retried,
    }

    private enum Change
    {
        None,
        Paused,
        Ended,
        Deleted,
        OtherKind,
    }

    private enum Detail
    {
        None,

        /// <summary>A task exists for the due time.</summary>
        DueTaken,

        /// <summary>No run follows before the end of the job.</summary>
        IsLast,

        /// <summary>The run after the planned one is an exception.</summary>
        NextExcluded,

        /// <summary>The entry names a task that does not exist, that runs, or that has ended.</summary>
        NamesNoTask,
        NamesRunningTask,
        NamesEndedTask,
    }

    // A run that is not planned is never missed. One that is not missed may have been due before the unfinished run began.
    private static IEnumerable<Case> AllCases =>
        from origin in Enum.GetValues<Origin>()
        from missedRuns in Enum.GetValues<MissedRunPolicy>()
        where missedRuns == MissedRunPolicy.RunOnce || origin == Origin.PlannedAndMissed
            || (missedRuns == MissedRunPolicy.RunAll && origin == Origin.Planned)
        from overlap in Enum.GetValues<OverlapPolicy>()
        where origin != Origin.Queued || overlap is OverlapPolicy.QueueOne or OverlapPolicy.CancelPrevious
        from isUnfinished in Both
        where !(isUnfinished && origin == Origin.Retried)
        from change in Enum.GetValues<Change>()
        from detail in Enum.GetValues<Detail>()
        where missedRuns == MissedRunPolicy.RunOnce || origin != Origin.Planned || (change == Change.None && detail == Detail.None)
        where detail switch
        {
            Detail.None => true,
            Detail.DueTaken => origin is Origin.Planned or Origin.Backfilled && !isUnfinished && change is Change.None or Change.Ended,
            Detail.IsLast or Detail.NextExcluded => origin == Origin.Planned && change == Change.None,
            _ => origin == Origin.ByHand && overlap == OverlapPolicy.Skip,
        }
        select new Case(origin, missedRuns, overlap, isUnfinished, change, detail);

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
            var state = expected switch
            {
                { EndsEntry: true } => EntryState.Cancelled,
                { WaitsForResume: true } => EntryState.Waiting,
                _ => EntryState.Running,
            };
            Assert.Equal(state, await StateAsync(run.Held.Id));
        }

        Assert.Equal(start.Task?.Id, start.Task is { } task ? (await FindTaskAsync(task.Id)).Id : null);
        if (expected.Next is { } next)
        {
            // The grid is an hour wide and no run is on its edge: a moment more or less does not matter.
            var job = await FindJobAsync(run.JobId);
            Assert.Equal((next.Due, next.Due), (job.NextRunAt, start.Job!.NextRunAt));
        }
        else if (facts.Job is { IsPlanned: false, Timing.State: not JobState.Ended } planned)
        {
            Assert.Equal(planned.Timing.NextRunAt, (await FindJobAsync(run.JobId)).NextRunAt);
        }
    }

    private async Task<List<(Case Case, Run Run, TaskStartFacts Facts)>> GivenCasesAsync()
    {
        var cases = AllCases.ToList();
        var jobs = new Dictionary<Guid, (Case Case, Job Job)>();
        var now = await Fixture.GetTimeAsync(Cancellation);
        foreach (var one in cases)
        {
            var job = await GivenJobAsync(one, one is { Origin: Origin.Planned, Detail: Detail.DueTaken } ? now - (Hour / 2) : Far);
            jobs.Add(job.Id, (one, job));
        }

        var (earlier, node) = (GivenNode(), GivenNode());
        await GivenEarlierRunsAsync(jobs, now - (3 * Hour), earlier);
        var (ended, running) = await GivenOtherTasksAsync(earlier);
        foreach (var (id, (one, _)) in jobs.ToList())
        {
            switch (one)
            {
                case { Detail: Detail.DueTaken }:
                    break;
                case { Origin: Origin.Planned or Origin.PlannedAndMissed }:
                    jobs[id] = (one, await GivenJobAsync(one, now - (one.Origin == Origin.Planned ? Hour / 2 : 1.5 * Hour)));
                    break;
                case { Origin: Origin.ByHand }:
                    await Jobs.TriggerAsync(id, null, Cancellation);
                    break;
                case { Origin: Origin.Backfilled }:
                    Assert.Equal(1, await Jobs.BackfillAsync(id, [now - (3 * Hour)], Cancellation));
                    break;
            }
        }

        var runs = await ClaimRunsAsync(node);
        Assert.Equal(cases.Count, runs.Count);
        foreach (var (id, (one, job)) in jobs)
        {
            await ChangeAsync(one, id, job.NextRunAt, now);
        }

        return runs.ConvertAll(run =>
        {
            var (one, job) = jobs[run.JobId];
            Guid? named = one.Detail switch
            {
                Detail.NamesNoTask => Guid.NewGuid(),
                Detail.NamesRunningTask => running,
                Detail.NamesEndedTask => ended,
                _ => null,
            };
            return (one, run with { TaskId = named }, FactsOf(one, job, now, run.IsPlanned ? null : run.DueAt));
        });
    }

    // The unfinished tasks, the tasks of due times, the runs that wait for another one, and the first attempts of the retried runs.
    private async Task GivenEarlierRunsAsync(Dictionary<Guid, (Case Case, Job Job)> jobs, DateTimeOffset due, TestNode node)
    {
        foreach (var (id, (one, job)) in jobs)
        {
            if (one.IsUnfinished || one.Origin is Origin.Retried or Origin.Queued)
            {
                await Jobs.TriggerAsync(id, null, Cancellation);
            }

            if (one.Origin == Origin.Queued)
            {
                await Jobs.TriggerAsync(id, OverlapPolicy.QueueOne, Cancellation);
            }

            if (one.Detail == Detail.DueTaken)
            {
                await Jobs.BackfillAsync(id, [one.Origin == Origin.Planned ? job.NextRunAt!.Value : due], Cancellation);
                await (one.Origin == Origin.Planned ? Task.CompletedTask : Jobs.BackfillAsync(id, [due], Cancellation));
            }
        }

        foreach (var ofJob in (await ClaimRunsAsync(node)).GroupBy(static run => run.JobId))
        {
            var one = jobs[ofJob.Key].Case;
            var (first, last) = one is { Origin: Origin.Planned, Detail: Detail.DueTaken }
                ? (ofJob.Single(static run => !run.IsPlanned), ofJob.Single(static run => run.IsPlanned))
                : (ofJob.First(), ofJob.Last());
            Assert.Equal(TaskStartDecision.Started, (await StartAsync(first)).Decision);
            if (one.Origin == Origin.Queued)
            {
                Assert.True(await StartAsync(last) is { Decision: TaskStartDecision.Wait, Task: not null });
            }

            if (first != last)
            {
                await FinishTaskAsync(last, OutcomeKind.Snoozed);
            }

            if (one.Origin == Origin.Retried)
            {
                await FinishTaskAsync(first, OutcomeKind.Retried, error: "boom");
            }
            else if (!one.IsUnfinished)
            {
                await FinishTaskAsync(first);
            }
        }
    }

    private async Task<(Guid Ended, Guid Running)> GivenOtherTasksAsync(TestNode node)
    {
        var other = await GivenJobAsync(configure: definition => definition with { StartAt = Far, Queue = "other" }, name: "other");
        var tasks = new List<Guid>();
        for (var number = 0; number < 2; number++)
        {
            await Jobs.TriggerAsync(other.Id, OverlapPolicy.Allow, Cancellation);
            var run = await ClaimRunAsync(node, "other");
            tasks.Add((await StartAsync(run)).Task!.Id);
            await (number == 0 ? FinishTaskAsync(run) : Task.CompletedTask);
        }

        return (tasks[0], tasks[1]);
    }

    private Task<Job> GivenJobAsync(Case one, DateTimeOffset startAt, string kind = "report", DateTimeOffset? endAt = null)
    {
        var job = NewJob(one.ToString(), kind: kind, configure: definition => definition with
        {
            MissedRuns = one.MissedRuns,
            Overlap = one.Overlap,
            StartAt = startAt,
            EndAt = endAt ?? (one.Detail == Detail.IsLast ? startAt + (Hour / 4) : null),
            Except = one.Detail == Detail.NextExcluded
                ? ScheduleExceptions.Cron(string.Create(CultureInfo.InvariantCulture, $"* {(startAt + Hour).UtcDateTime.Hour} * * *"))
                : null,
        });
        return Jobs.UpsertAsync(job, Cancellation);
    }

    private async Task ChangeAsync(Case one, Guid jobId, DateTimeOffset? startAt, DateTimeOffset now)
    {
        switch (one.Change)
        {
            case Change.Paused:
                await Jobs.PauseAsync(jobId, new PauseInfo(), Cancellation);
                break;
            case Change.Ended:
                Assert.Equal(JobState.Ended, (await GivenJobAsync(one, startAt!.Value, endAt: now - (10 * Hour))).State);
                break;
            case Change.Deleted:
                await Jobs.DeleteAsync(jobId, Cancellation);
                break;
            case Change.OtherKind:
                await GivenJobAsync(one, startAt!.Value, kind: "digest");
                break;
        }
    }

    private static TaskStartFacts FactsOf(Case one, Job job, DateTimeOffset now, DateTimeOffset? requested)
    {
        var isPlanned = one.Origin is Origin.Planned or Origin.PlannedAndMissed;

        // A change of the job ends its planned entry at once, even under its claim.
        var isEnded = isPlanned && one.Change != Change.None;
        return new TaskStartFacts
        {
            Now = now,
            HoldsClaim = !isEnded,
            EndedAs = !isEnded ? null : one.Change is Change.OtherKind or Change.Ended ? OutcomeKind.Superseded : OutcomeKind.Cancelled,
            EndReason = !isEnded ? null : one.Change switch
            {
                Change.Paused => EndReasons.JobNotActive,
                Change.Deleted => EndReasons.JobDeleted,
                _ => EndReasons.Superseded,
            },
            Bound = one.Origin is Origin.Retried or Origin.Queued ? TaskState.Created : null,
            IsQueued = one.Origin == Origin.Queued,
            NamesTask = one.Detail is Detail.NamesNoTask or Detail.NamesRunningTask or Detail.NamesEndedTask,
            Named = one.Detail switch
            {
                Detail.NamesRunningTask => TaskState.Running,
                Detail.NamesEndedTask => TaskState.Completed,
                _ => null,
            },
            Job = one.Change == Change.Deleted
                ? null
                : new JobStartFacts
                {
                    Timing = one.Change switch
                    {
                        Change.Paused => TimingOf(job, JobState.Paused, null, isPlanned),
                        Change.Ended => TimingOf(job, JobState.Ended, null, isPlanned),
                        _ => TimingOf(job, JobState.Active, job.NextRunAt, isPlanned),
                    },
                    Missed = new MissedRunRules(one.MissedRuns, null, 100, null, job.UpdatedAt),
                    Overlap = one.Overlap,
                    HasKindOfEntry = one.Change != Change.OtherKind,
                    IsPlanned = isPlanned,
                    DueAt = requested,
                    HasTaskForDueTime = one.Detail == Detail.DueTaken,
                    HasUnfinishedTask = one.IsUnfinished,
                    HasUnfinishedTaskSinceDue = isPlanned && one.IsUnfinished,
                    HasEarlierTask = one.Origin == Origin.Queued && one.IsUnfinished,
                },
        };
    }

    private static JobTiming TimingOf(Job job, JobState state, DateTimeOffset? due, bool isPlanned)
        => new()
        {
            Name = job.Name,
            State = state,
            Schedule = Schedule.Every(Hour),
            EndAt = job.EndAt,
            Except = job.Except,
            NextRunAt = due,
            IsPlanned = isPlanned,
        };

    private sealed record Case(
        Origin Origin, MissedRunPolicy MissedRuns, OverlapPolicy Overlap, bool IsUnfinished, Change Change, Detail Detail);
}
