namespace TaskRecovery.Testing.Tests.Samples;

/// <summary>The samples of docs/testing.md that need no host.</summary>
public sealed class WorkerSampleTests
{
    private readonly FakeMailer _mailer = new();

    [Fact]
    public async Task A_worker_runs_without_a_store()
    {
        var mailer = _mailer;

        var run = await WorkerTest.RunAsync(new SendMailWorker(mailer), new SendMail("ada@example.org", "Hello"));

        run.ShouldComplete();
        Assert.Equal(["render", "send"], run.Steps.Select(step => step.Name));
        Assert.Equal("<p>Hello</p>", run.Steps[0].Result<string>());
    }

    [Fact]
    public async Task The_last_attempt_fails_and_a_recovered_run_skips_the_finished_steps()
    {
        var args = new SendMail("ada@example.org", "Hello");
        var worker = new ActionWorker<SendMail>((context, token)
            => context.Crashes == 0
                ? throw new InvalidOperationException("no server")
                : new SendMailWorker(_mailer).WorkAsync(context, token));

        var failed = await WorkerTest.RunAsync(worker, args, options => options with { Attempt = 3, MaxAttempts = 3 });
        failed.ShouldFail(EndReasons.AttemptsExhausted);

        var again = await WorkerTest.RunAsync(worker, args, options => options with
        {
            Crashes = 1,
            Steps = new Dictionary<string, object?> { ["render"] = "<p>hi</p>" },
            Checkpoint = 40,
        });
        Assert.Equal(["send"], again.StepsRun);

        Assert.Equal(["ada@example.org: <p>hi</p>"], _mailer.Sent);
        Assert.Equal(40, again.Checkpoint<int>());
    }

    [Fact]
    public async Task A_deploy_in_a_step_releases_the_entry()
    {
        var (worker, args) = (new SendMailWorker(_mailer), new SendMail("ada@example.org", "Hello"));

        var stopped = await WorkerTest.RunAsync(worker, args, options => options.Cancel(StopReason.Shutdown, at: Place.InStep("send")));
        stopped.ShouldRelease();

        Assert.Empty(_mailer.Sent);
    }

    [Fact]
    public async Task A_crash_between_any_two_steps_sends_one_mail()
    {
        await WorkerTest.CrashEverywhereAsync(
            world: () => new FakeMailer(),
            worker: world => new SendMailWorker(world),
            args: new SendMail("ada@example.org", "Hello"),
            check: world => Assert.Single(world.Sent));
    }
}
