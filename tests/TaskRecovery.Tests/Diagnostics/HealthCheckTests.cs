using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Operations;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Diagnostics;

/// <summary>The health check says what is wrong, and nothing when nothing is.</summary>
public sealed class HealthCheckTests : IDisposable
{
    private readonly RecoveryUnderTest _recovery = new();
    private readonly QueueDepths _depths;
    private readonly FakeUnresponsiveHandlers _unresponsive = new();
    private readonly FakeFailingLoops _loops = new();

    public HealthCheckTests() => _depths = new QueueDepths(_recovery.Store, _recovery.Time);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _recovery.Dispose();

    [Fact]
    public async Task A_working_node_is_healthy()
    {
        GivenWorkingNode();
        _recovery.Store.Depths.Add(new QueueDepth("mail", 3, TimeSpan.FromSeconds(2)));

        var result = await CheckAsync();

        Assert.Equal(HealthStatus.Healthy, result.Status);
        Assert.Equal(3L, result.Data["queue.mail.due"]);
        Assert.Equal(_recovery.Node.Life.Id, result.Data["node_id"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task It_says_how_many_queues_were_skipped(bool includeDetails)
    {
        GivenWorkingNode();
        _recovery.Store.Depths.Add(new QueueDepth("mail", 3, TimeSpan.FromSeconds(2)) { QueuesSkipped = 500 });

        var result = await CheckAsync(includeDetails: includeDetails);

        Assert.Equal(500L, result.Data["queues_skipped"]);
    }

    [Fact]
    public async Task Without_details_it_names_nothing_and_carries_no_exception()
    {
        GivenWorkingNode();
        _recovery.Store.Depths.Add(new QueueDepth("mail", 3, TimeSpan.FromSeconds(61)));
        _recovery.Store.Depths.Add(new QueueDepth("reports", 4, TimeSpan.FromSeconds(2)));
        _unresponsive.Handlers.Add(new UnresponsiveHandler(17, "report", StopReason.TimedOut, TimeSpan.FromSeconds(40)));
        _loops.Names.Add("claims of queue mail");

        var degraded = await CheckAsync(includeDetails: false);
        _recovery.Store.Failure = new StoreUnavailableException("role app of db1 was refused");
        _recovery.Time.Advance(CachedRead<object>.Fresh);
        var failed = await CheckAsync(includeDetails: false);

        Assert.Equal(
            "loops that keep failing: 1, and the log says why (events 1002 and 3080); queues with an entry due for more than 60 s: 1; "
            + "handlers that ignore their cancellation: 1.",
            degraded.Description);
        Assert.Equal(["due", "oldest_seconds"], degraded.Data.Keys);
        Assert.Equal((7L, 61.0), ((long)degraded.Data["due"], (double)degraded.Data["oldest_seconds"]));
        Assert.Equal((HealthStatus.Unhealthy, null), (failed.Status, failed.Exception));
        Assert.DoesNotContain("db1", failed.Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Any_number_of_requests_measures_once_in_a_few_seconds()
    {
        GivenWorkingNode();
        var measured = _recovery.Store.Calls.Count(call => call == "measure");

        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => CheckAsync()));
        _recovery.Time.Advance(CachedRead<object>.Fresh - TimeSpan.FromMilliseconds(1));
        await CheckAsync();
        Assert.Equal(measured + 1, _recovery.Store.Calls.Count(call => call == "measure"));

        _recovery.Time.Advance(TimeSpan.FromMilliseconds(1));
        await CheckAsync();
        Assert.Equal(measured + 2, _recovery.Store.Calls.Count(call => call == "measure"));
    }

    [Fact]
    public async Task A_failure_is_forgotten_after_a_second_and_a_caller_that_left_fails_nobody()
    {
        GivenWorkingNode();
        _recovery.Store.Failure = new StoreUnavailableException("down");
        Assert.Equal(HealthStatus.Unhealthy, (await CheckAsync()).Status);
        _recovery.Store.Failure = null;
        Assert.Equal(HealthStatus.Unhealthy, (await CheckAsync()).Status);
        _recovery.Time.Advance(CachedRead<object>.FreshFailure);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _depths.ReadAsync(new CancellationToken(canceled: true)));

        Assert.Equal(HealthStatus.Healthy, (await CheckAsync()).Status);
    }

    [Fact]
    public async Task Before_the_start_up_hook_is_through_it_fails()
    {
        _recovery.Node.Beat();

        var result = await CheckAsync();

        Assert.Equal(HealthStatus.Unhealthy, result.Status);
        Assert.Contains("Start-up recovery", result.Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_does_not_answer_fails_it()
    {
        GivenWorkingNode();
        _recovery.Store.Failure = new StoreUnavailableException("down");

        var result = await CheckAsync();

        Assert.Equal(HealthStatus.Unhealthy, result.Status);
        Assert.Same(_recovery.Store.Failure, result.Exception);
    }

    [Fact]
    public async Task A_node_past_its_deadline_fails_it()
    {
        GivenWorkingNode();
        _recovery.Time.Advance(TimeSpan.FromSeconds(3));

        var result = await CheckAsync();

        Assert.Equal(HealthStatus.Unhealthy, result.Status);
        Assert.Contains("lease", result.Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_entry_that_waits_too_long_and_a_unresponsive_handler_degrade_it()
    {
        GivenWorkingNode();
        _recovery.Store.Depths.Add(new QueueDepth("mail", 3, TimeSpan.FromSeconds(61)));
        _unresponsive.Handlers.Add(new UnresponsiveHandler(17, "report", StopReason.TimedOut, TimeSpan.FromSeconds(40)));

        var result = await CheckAsync();

        Assert.Equal(HealthStatus.Degraded, result.Status);
        Assert.Equal(
            "queue mail has had an entry due for 61 s (limit 60 s); the handler of entry 17 (report) has ignored cancellation "
            + "(TimedOut) for 40 s.", result.Description);
    }

    [Theory]
    [InlineData(true, "job mars can't be planned by this node: no zone 'Mars/Base'; job late has been due for 61 s and does not start "
        + "(limit 60 s).")]
    [InlineData(false, "jobs that this node can't plan: 1, and the log says why (event 4006); jobs that have been due for more than 60 s "
        + "and do not start: 1.")]
    public async Task A_job_that_does_not_run_degrades_it_until_it_runs_again(bool includeDetails, string expected)
    {
        GivenWorkingNode();
        _recovery.Jobs.Answer = Task.FromResult(new JobRecovery(0, [new UnplannableJob("mars", "no zone 'Mars/Base'.")])
        {
            Overdue = [new OverdueJob("late", TimeSpan.FromSeconds(61)), new OverdueJob("soon", TimeSpan.FromSeconds(60))],
        });
        await _recovery.Planner.RecoverAsync(Cancellation);
        await _recovery.Planner.RecoverAsync(Cancellation);
        var degraded = await CheckAsync(includeDetails);
        _recovery.Jobs.Answer = Task.FromResult(new JobRecovery(1, []));
        await _recovery.Planner.RecoverAsync(Cancellation);

        var healthy = await CheckAsync(includeDetails);

        Assert.Equal((HealthStatus.Degraded, expected), (degraded.Status, degraded.Description));
        Assert.Equal(HealthStatus.Healthy, healthy.Status);
    }

    [Fact]
    public async Task A_job_that_was_overdue_and_has_run_since_does_not_degrade_it()
    {
        GivenWorkingNode();
        GivenOverdueJob();
        await _recovery.Planner.RecoverAsync(Cancellation);
        _recovery.Jobs.NextRunAt = _recovery.Time.GetUtcNow() - TimeSpan.FromMinutes(6);
        var waiting = await CheckAsync();
        _recovery.Jobs.NextRunAt = _recovery.Time.GetUtcNow() + TimeSpan.FromMinutes(1);
        var cached = await CheckAsync();
        _recovery.Time.Advance(CachedRead<object>.Fresh);
        GivenWorkingNode();

        var healthy = await CheckAsync();

        Assert.Equal(
            (HealthStatus.Degraded, HealthStatus.Degraded, HealthStatus.Healthy), (waiting.Status, cached.Status, healthy.Status));
    }

    [Fact]
    public async Task A_run_that_became_due_during_a_downtime_does_not_degrade_a_node_that_has_just_started()
    {
        GivenWorkingNode();
        GivenOverdueJob();

        Assert.Equal(0, await _recovery.Planner.RecoverAtStartAsync(Cancellation));
        var started = await CheckAsync();
        await _recovery.Planner.RecoverAsync(Cancellation);
        var later = await CheckAsync();

        Assert.Equal((HealthStatus.Healthy, HealthStatus.Degraded), (started.Status, later.Status));
    }

    [Fact]
    public async Task Claims_that_keep_failing_degrade_it_although_the_store_answers()
    {
        GivenWorkingNode();
        _loops.Names.Add("claims of queue mail");

        var result = await CheckAsync();

        Assert.Equal(HealthStatus.Degraded, result.Status);
        Assert.Contains("claims of queue mail keeps failing", result.Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_process_that_only_enqueues_needs_no_lease()
    {
        _recovery.Role.Works = false;
        _recovery.Node.Gate.Open();

        Assert.Equal(HealthStatus.Healthy, (await CheckAsync()).Status);
    }

    [Fact]
    public void It_is_added_once_under_a_name_of_ones_choice()
    {
        var services = new ServiceCollection();
        services.AddHealthChecks().AddTaskRecovery().AddTaskRecovery().AddTaskRecovery(
            null, TimeSpan.FromMinutes(1), HealthStatus.Degraded, ["ready"], name: "queues");
        using var provider = services.BuildServiceProvider();

        var registrations = provider.GetRequiredService<IOptions<HealthCheckServiceOptions>>().Value.Registrations;

        Assert.Equal(["taskrecovery", "queues"], registrations.Select(registration => registration.Name));
        Assert.Equal([HealthStatus.Unhealthy, HealthStatus.Degraded], registrations.Select(registration => registration.FailureStatus));
    }

    [Fact]
    public void A_limit_that_makes_no_sense_is_refused()
        => Assert.Throws<ArgumentOutOfRangeException>(
            () => new ServiceCollection().AddHealthChecks().AddTaskRecovery(oldestDueLimit: TimeSpan.Zero));

    private void GivenWorkingNode()
    {
        _recovery.Node.Gate.Open();
        _recovery.Node.Beat();
    }

    private void GivenOverdueJob()
        => _recovery.Jobs.Answer = Task.FromResult(
            new JobRecovery(0, []) { Overdue = [new OverdueJob("late", TimeSpan.FromHours(1))] });

    private Task<HealthCheckResult> CheckAsync(bool includeDetails = true)
    {
        var check = new TaskRecoveryHealthCheck(
            _depths, _recovery.Node.Node, _recovery.Role, _recovery.Node.Gate, _recovery.NewStartup(), [_unresponsive], [_loops],
            _recovery.Planner, new HealthCheckSettings(TimeSpan.FromSeconds(60), includeDetails));
        return check.CheckHealthAsync(
            new HealthCheckContext { Registration = new HealthCheckRegistration("taskrecovery", check, null, null) }, Cancellation);
    }

    private sealed class FakeFailingLoops : IFailingLoops
    {
        public List<string> Names { get; } = [];

        public IReadOnlyList<string> ListFailing() => Names;
    }

    private sealed class FakeUnresponsiveHandlers : IUnresponsiveHandlers
    {
        public List<UnresponsiveHandler> Handlers { get; } = [];

        public IReadOnlyList<UnresponsiveHandler> List() => Handlers;
    }
}
