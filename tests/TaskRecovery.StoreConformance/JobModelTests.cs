using System.Globalization;
using System.Security.Cryptography;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance.Model;

namespace TaskRecovery.StoreConformance;

/// <summary>Runs random sequences of what nodes and operators do with jobs, with crashes, lost answers and a clock that moves. After every
/// step it checks the invariant; at every start it checks what the definition of the job promises; and at the end it checks that nothing
/// was lost.</summary>
/// <remarks>The pure functions that compute due times have tests of their own. Here the promises are checked from outside, so the model
/// does not predict the answers of the store.</remarks>
public abstract partial class JobModelTests(StoreFixture fixture) : JobStoreTests(fixture)
{
    /// <summary>The environment variable that sets the random seed, to repeat a failed run.</summary>
    public const string SeedVariable = "TASKRECOVERY_JOB_MODEL_SEED";

    private const int Steps = 150;

    private readonly List<string> _journal = [];
    private readonly List<ModelNode> _nodes = [];
    private readonly List<ModelRun> _runs = [];
    private readonly List<Guid> _jobs = [];

    /// <summary>The tasks that have started, and not been retried by an operator since.</summary>
    private readonly HashSet<Guid> _started = [];

    /// <summary>The tasks that an operator has retried.</summary>
    private readonly HashSet<Guid> _retried = [];

    private Random _random = new(0);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public Task Jobs_keep_their_promises(int seed) => RunAsync(seed);

    [Fact]
    public Task Jobs_keep_their_promises_from_a_random_seed()
        => RunAsync(int.TryParse(Environment.GetEnvironmentVariable(SeedVariable), CultureInfo.InvariantCulture, out var seed)
            ? seed : RandomNumberGenerator.GetInt32(int.MaxValue));

    // The clock is set back only where no definition changes: a task from before a change would then seem to be newer than the change.
    private bool SetsTheClockBack { get; set; }

    private async Task RunAsync(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"{SeedVariable}={seed}");
        _random = new Random(seed);
        SetsTheClockBack = seed % 2 == 0;
        (int Weight, Func<Task> Run)[] operations =
        [
            (4, CreateAJobAsync), (4, ChangeAJobAsync), (3, PauseOrResumeAsync),
            (6, TriggerAsync), (3, BackfillAsync), (1, DeleteAJobAsync),
            (16, ClaimSomeAsync), (22, StartSomeAsync), (18, FinishSomeAsync), (4, RetryAsync), (2, CancelAsync),
            (3, EndSomeWhileTheyStartAsync), (3, KillANodeAsync), (2, ReleaseAClaimAsync), (3, RecoverAsync), (14, MoveTheClockAsync),
        ];
        var total = operations.Sum(operation => operation.Weight);
        for (var step = 0; step <= Steps; step++)
        {
            try
            {
                var pick = _random.Next(total);
                await (step < Steps ? operations.First(operation => (pick -= operation.Weight) < 0).Run() : EndAsync());
                Assert.Empty(await Store.CheckInvariantsAsync(Cancellation));
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                Assert.Fail($"{SeedVariable}={seed}, step {step}:\n{string.Join('\n', _journal.TakeLast(60))}\n{exception}");
            }
        }
    }

    private async Task CreateAJobAsync()
    {
        if (_jobs.Count < 5)
        {
            var job = await Jobs.UpsertAsync(
                NewJob($"job-{_jobs.Count}", configure: definition => Define(definition, mayOverlap: _random.Next(4) == 0)), Cancellation);
            _jobs.Add(job.Id);
            NotePlan("created", job);
        }
    }

    private async Task ChangeAJobAsync()
    {
        if (!SetsTheClockBack && await PickJobAsync() is { } held)
        {
            var mayOverlap = held.Overlap == OverlapPolicy.Allow;
            NotePlan("changed", await Jobs.UpsertAsync(
                NewJob(held.Name, configure: definition => Define(definition, mayOverlap)), Cancellation));
        }
    }

    // Whether runs of a job may overlap never changes: runs that overlapped before such a change would go on.
    private JobDefinition Define(JobDefinition definition, bool mayOverlap)
    {
        // Not every hour, because all due times could be exceptions.
        var except = _random.Next(4) == 0 ? ScheduleExceptions.Cron("0-14 * * * *") : null;
        return definition with
        {
            Schedule = PickSchedule(except is not null),
            StartAt = _random.Next(5) == 0 ? TimeProvider.System.GetUtcNow() + (Hour * _random.Next(0, 4)) : null,
            Except = except,
            Overlap = mayOverlap ? OverlapPolicy.Allow : Pick([OverlapPolicy.Skip, OverlapPolicy.QueueOne, OverlapPolicy.CancelPrevious]),
            MissedRuns = Pick(Enum.GetValues<MissedRunPolicy>()),
            CatchUpWithin = _random.Next(3) == 0 ? 3 * Hour : null,
            CatchUpLimit = Pick([2, 5, 100]),
            ExpiresAfter = _random.Next(4) == 0 ? Hour / 3 : null,
            EndAt = _random.Next(6) == 0 ? TimeProvider.System.GetUtcNow() + (Hour * _random.Next(1, 6)) : null,
        };
    }

    private Schedule PickSchedule(bool hasExceptions) => _random.Next(8) switch
    {
        0 => Schedule.Once(TimeProvider.System.GetUtcNow() + (Hour * _random.Next(0, 4))),
        1 or 2 => Schedule.Cron(hasExceptions ? "*/25 * * * *" : Pick(["0 * * * *", "*/30 * * * *", "15 */2 * * *"])),
        _ => Schedule.Every(hasExceptions ? TimeSpan.FromMinutes(25) : Pick([Hour / 2, Hour, 1.5 * Hour])),
    };

    private async Task PauseOrResumeAsync()
    {
        if (await PickJobAsync() is not { } job)
        {
            return;
        }

        if (job.State == JobState.Paused)
        {
            await Jobs.ResumeAsync(job.Id, Cancellation);
        }
        else
        {
            DateTimeOffset? until = _random.Next(2) == 0 ? await Fixture.GetTimeAsync(Cancellation) + (Hour / 2) : null;
            await Jobs.PauseAsync(job.Id, new PauseInfo { Reason = "test", Actor = "model", Until = until }, Cancellation);
        }

        NotePlan("paused or resumed", await FindJobAsync(job.Id));
    }

    private async Task TriggerAsync()
    {
        if (await PickJobAsync() is { } job)
        {
            OverlapPolicy? overlap = _random.Next(3) == 0 ? Pick(Enum.GetValues<OverlapPolicy>()) : null;
            var entry = await Jobs.TriggerAsync(job.Id, overlap, Cancellation);
            Note($"triggered {job.Name} with {overlap}: {entry}");
            Assert.Equal(job.State == JobState.Active, entry is not null);
        }
    }

    private async Task BackfillAsync()
    {
        if (await PickJobAsync() is { State: JobState.Active, NextRunAt: { } next, Schedule.At: null } job)
        {
            var interval = job.Schedule.Interval ?? Hour;
            DateTimeOffset[] dues = [next - (3 * interval), next - (2 * interval)];
            Note($"backfilled {job.Name}: {await Jobs.BackfillAsync(job.Id, dues, Cancellation)}");
        }
    }

    private async Task DeleteAJobAsync()
    {
        if (_random.Next(3) == 0 && await PickJobAsync() is { } job)
        {
            Assert.True(await Jobs.DeleteAsync(job.Id, Cancellation));
            Note($"deleted {job.Name}");
        }
    }

    private async Task RetryAsync()
    {
        var ended = (await Jobs.ListTasksAsync(null, null, 200, Cancellation)).Where(task => task.State is TaskState.Failed
            or TaskState.Cancelled).ToList();
        if (ended.Count == 0 || Pick(ended) is not { EntryId: { } entry } task)
        {
            return;
        }

        var answer = await Store.RetryAsync(entry, RetryFrom.LastStep, Cancellation);
        Note($"retried entry {entry}: {answer}");
        if (answer == OperatorResult.Done)
        {
            _started.Remove(task.Id);
            _retried.Add(task.Id);
        }
    }

    private async Task CancelAsync()
    {
        var entries = (await Store.ListAsync(new EntryFilter { Kind = EntryKind, Limit = 30 }, Cancellation)).Entries;
        if (entries.Count > 0)
        {
            var entry = Pick(entries).Id;
            Note($"cancelled entry {entry}: {await Store.CancelAsync(entry, Cancellation)}");
        }
    }

    private async Task RecoverAsync()
    {
        await Jobs.RecoverTasksAsync(TimeSpan.FromDays(365), MaxCrashes, Cancellation);
        var before = await Fixture.GetTimeAsync(Cancellation);
        var planned = await Jobs.RecoverJobsAsync(Cancellation);
        await Jobs.CorrectPlansAsync(Cancellation);
        var jobs = await Jobs.ListAsync(Cancellation);
        Note($"recovered: planned {planned.Planned}");
        Assert.All(jobs, job => Assert.False(job.Pause?.Until < before, $"{job} is still paused."));
        Assert.All(jobs.Where(job => job.State == JobState.Active), job => Assert.True(
            job.NextRunAt is not null, $"{job} has no planned run."));
    }

    private async Task MoveTheClockAsync()
    {
        // An odd number of ticks, because runs of one job may not get each other's due time while the rows are moved.
        var minutes = SetsTheClockBack && _random.Next(6) == 0 ? -_random.Next(1, 40) : Pick([1, 5, 20, 40, 40, 60, 60, 300]);
        var step = TimeSpan.FromMinutes(minutes) + TimeSpan.FromMilliseconds(_random.Next(1, 1000));
        await ShiftTimeAsync(step);
        Note($"clock moved by {step}");
    }

    private async Task<Job?> PickJobAsync()
    {
        var jobs = await Jobs.ListAsync(Cancellation);
        return jobs.Count == 0 ? null : Pick(jobs);
    }

    private void NotePlan(string what, Job job)
    {
        Note($"{what} {job} ends {job.EndAt}, {job.Overlap}, {job.MissedRuns}: next {job.NextRunAt:O}");
        CheckEnd(job);
    }

    private void Note(string what) => _journal.Add(what);

    private T Pick<T>(IReadOnlyList<T> from) => from[_random.Next(from.Count)];
}
