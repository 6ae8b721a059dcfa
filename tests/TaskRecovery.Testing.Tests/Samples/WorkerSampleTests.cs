namespace TaskRecovery.Testing.Tests.Samples;

/// <summary>The samples of docs/testing.md that need no host.</summary>
public sealed class WorkerSampleTests
{
    private readonly FakeMailer _mailer = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_worker_runs_without_a_store()
    {
        var run = await WorkerTest.RunAsync(
            new SendMailWorker(_mailer), new SendMail("ada@example.org", "Hello"), cancellationToken: Cancellation);

        run.ShouldComplete();
        Assert.Equal(["render", "send"], run.Steps.Select(step => step.Name));
        Assert.Equal("<p>Hello</p>", run.Steps[0].Result<string>());
    }

    [Fact]
    public async Task The_last_attempt_fails()
    {
        var worker = new ActionWorker<SendMail>((_, _) => throw new InvalidOperationException("no server"));

        var failed = await WorkerTest.RunAsync(
            worker, new SendMail("ada@example.org", "Hello"), options => options with { Attempt = 3, MaxAttempts = 3 }, Cancellation);

        failed.ShouldFail(EndReasons.AttemptsExhausted);
    }

    [Fact]
    public async Task A_recovered_run_skips_the_finished_steps()
    {
        var again = await WorkerTest.RunAsync(
            new SendMailWorker(_mailer),
            new SendMail("ada@example.org", "Hello"),
            options => options with { Crashes = 1, Steps = new Dictionary<string, object?> { ["render"] = "<p>hi</p>" }, Checkpoint = 40 },
            Cancellation);

        Assert.Equal(["send"], again.StepsRun);
        Assert.Equal(["ada@example.org: <p>hi</p>"], _mailer.Sent);
        Assert.Equal(40, again.Checkpoint<int>());
    }

    [Fact]
    public async Task A_deploy_in_a_step_releases_the_entry()
    {
        var run = await WorkerTest.RunAsync(
            new SendMailWorker(_mailer), new SendMail("ada@example.org", "Hello"),
            options => options.Cancel(StopReason.Shutdown, at: Place.InStep("send")), Cancellation);

        run.ShouldRelease();
        Assert.Empty(_mailer.Sent);
    }

    [Fact]
    public async Task A_crash_between_any_two_steps_sends_one_mail()
        => await WorkerTest.CrashEverywhereAsync(
            world: () => new FakeMailer(),
            worker: world => new SendMailWorker(world),
            args: new SendMail("ada@example.org", "Hello"),
            check: world => Assert.Single(world.Sent),
            places: CrashPlaces.BetweenSteps,
            cancellationToken: Cancellation);
}
