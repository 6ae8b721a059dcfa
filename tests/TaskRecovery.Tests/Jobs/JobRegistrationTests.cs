using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Hosting;
using TaskRecovery.Jobs;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Jobs;

public sealed class JobRegistrationTests
{
    private readonly ScriptedJobs _jobs = new();

    [Fact]
    public async Task Declared_jobs_are_created_at_every_start()
    {
        await using var host = Create(builder => builder
            .AddTaskHandler<TestArgs, TestHandler>(configure: options => options.MaxAttempts = 4)
            .AddIntervalJob("digest", TimeSpan.FromMinutes(5), new TestArgs(3), definition => definition with { Queue = "reports" }));

        await host.StartAsync();
        await host.StopAsync();

        var job = Assert.Single(_jobs.Upserts);
        Assert.Equal(
            ("digest", "reports", Schedule.Every(TimeSpan.FromMinutes(5))),
            (job.Definition.Name, job.Definition.Queue, job.Definition.Schedule));
        Assert.Equal(("test.work", "task:test.work", 4), (job.Kind, job.EntryKind, job.MaxAttempts));
        Assert.Contains("\"number\":3", System.Text.Encoding.UTF8.GetString(job.Args.Span), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Declaring_a_job_twice_keeps_the_last()
    {
        await using var host = Create(builder => builder
            .AddTaskHandler<TestArgs, TestHandler>()
            .AddTaskHandler<TestArgs, TestHandler>()
            .AddIntervalJob("digest", TimeSpan.FromMinutes(5), new TestArgs(1))
            .AddIntervalJob("digest", TimeSpan.FromMinutes(6), new TestArgs(2)));

        await host.StartAsync();
        await host.StopAsync();

        Assert.Equal(TimeSpan.FromMinutes(6), Assert.Single(_jobs.Upserts).Definition.Schedule.Interval);
    }

    [Fact]
    public async Task Process_that_works_no_queue_declares_its_jobs_all_the_same()
    {
        await using var host = Create(builder => builder.AddIntervalJob("digest", TimeSpan.FromMinutes(5), new TestArgs(1)));

        await host.StartAsync();
        await host.StopAsync();

        Assert.Equal("digest", Assert.Single(_jobs.Upserts).Definition.Name);
        Assert.Equal(1, host.Log.Count(4001));
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 0)] // a process that only enqueues may share its code with the one that declares
    public async Task Job_that_the_code_no_longer_declares_is_logged_at_the_start(bool works, int lines)
    {
        _jobs.Declared.Add(new DeclaredJob("clean-up", "digest", IsOrphaned: false));
        await using var host = Create(builder => _ = works ? builder.AddTaskHandler<TestArgs, TestHandler>() : builder);

        await host.StartAsync();
        await host.StopAsync();

        Assert.Equal(lines, host.Log.Count(4005));
        Assert.Equal(lines, _jobs.Orphaned.Count);
        Assert.All(host.Log.Lines.Where(line => line.Id == 4005), line => Assert.Contains(
            "clean-up", line.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false, 1440)]
    [InlineData(true, 59)]
    public async Task Job_that_has_not_been_an_orphan_for_an_hour_is_not_deleted(bool isOrphaned, int minutes)
    {
        _jobs.OrphanedFor = TimeSpan.FromMinutes(minutes);
        _jobs.Declared.Add(new DeclaredJob("clean-up", "digest", isOrphaned));
        await using var host = Create(
            builder => builder.AddTaskHandler<TestArgs, TestHandler>(), options => options.OrphanedJobs = OrphanedJobPolicy.Delete);

        await host.StartAsync();
        await host.StopAsync();

        Assert.Empty(_jobs.Deleted);
        Assert.Equal((0, 1), (host.Log.Count(4008), host.Log.Count(4005)));
    }

    [Fact]
    public async Task Orphans_are_looked_for_once_and_not_when_the_node_registers_again()
    {
        await using var host = Create(builder => builder.AddTaskHandler<TestArgs, TestHandler>());
        await host.StartAsync();
        _jobs.Declared.Add(new DeclaredJob("of-a-newer-version", "digest", IsOrphaned: false));

        var declarations = Assert.Single(host.Services.GetServices<IStartupStep>().OfType<JobDeclarations>());
        await declarations.RunAsync(CancellationToken.None);
        await host.StopAsync();

        Assert.Empty(_jobs.Orphaned);
    }

    [Fact]
    public async Task Job_that_the_code_no_longer_declares_is_deleted_when_the_option_says_so()
    {
        _jobs.Declared.Add(new DeclaredJob("clean-up", "digest", IsOrphaned: true));
        await using var host = Create(
            builder => builder.AddTaskHandler<TestArgs, TestHandler>(), options => options.OrphanedJobs = OrphanedJobPolicy.Delete);

        await host.StartAsync();
        await host.StopAsync();

        Assert.Equal([_jobs.Job.Id], _jobs.Deleted);
        Assert.Equal((1, 0), (host.Log.Count(4008), host.Log.Count(4005)));
        Assert.Empty(_jobs.Orphaned);
    }

    [Fact]
    public async Task Declared_job_is_no_orphan()
    {
        await using var host = Create(builder => builder.AddIntervalJob("digest", TimeSpan.FromMinutes(5), new TestArgs(1)));

        await host.StartAsync();
        await host.StopAsync();

        Assert.Equal(0, host.Log.Count(4005));
        Assert.False(string.IsNullOrEmpty(Assert.Single(_jobs.Upserts).DeclaredBy));
    }

    [Fact]
    public async Task Unchanged_jobs_are_not_stored_again()
    {
        for (var start = 0; start < 2; start++)
        {
            await using var host = Create(Declare);
            await host.StartAsync();
            await host.StopAsync();
        }

        Assert.Equal(["a", "b"], _jobs.Upserts.Select(job => job.Definition.Name));
        _jobs.Upserts.Clear();
        _jobs.Declared.Add(new DeclaredJob("a", "another digest", IsOrphaned: false));
        _jobs.Declared.Add(new DeclaredJob("b", null, IsOrphaned: false));
        await using var changed = Create(Declare);
        await changed.StartAsync();
        await changed.StopAsync();
        Assert.Equal(["a", "b"], _jobs.Upserts.Select(job => job.Definition.Name));

        static void Declare(TaskRecoveryBuilder builder) => builder.AddTaskHandler<TestArgs, TestHandler>()
            .AddIntervalJob("a", TimeSpan.FromMinutes(5), new TestArgs(1)).AddIntervalJob("b", TimeSpan.FromMinutes(5), new TestArgs(2));
    }

    [Fact]
    public async Task Process_without_the_handler_does_not_store_the_job_again_and_other_attempts_of_the_handler_do()
    {
        foreach (var attempts in new int?[] { 3, null, 3, 4 })
        {
            await using var host = Create(builder => Declare(builder, attempts));
            await host.StartAsync();
            await host.StopAsync();
        }

        Assert.Equal([(3, false), (4, false)], _jobs.Upserts.Select(static job => (job.MaxAttempts, job.KeepsMaxAttempts)));

        static void Declare(TaskRecoveryBuilder builder, int? attempts)
        {
            if (attempts is { } most)
            {
                builder.AddTaskHandler<TestArgs, TestHandler>(options => options.MaxAttempts = most);
            }

            builder.AddIntervalJob("a", TimeSpan.FromMinutes(5), new TestArgs(1));
        }
    }

    [Fact]
    public async Task Orphan_that_is_declared_again_is_stored_although_it_has_not_changed()
    {
        await using (var host = Create(Declare))
        {
            await host.StartAsync();
            await host.StopAsync();
        }

        var stored = Assert.Single(_jobs.Upserts);
        _jobs.Upserts.Clear();
        _jobs.Declared.Add(new DeclaredJob("a", stored.DeclaredAs, IsOrphaned: true));
        await using var again = Create(Declare);
        await again.StartAsync();
        await again.StopAsync();

        Assert.Single(_jobs.Upserts);

        static void Declare(TaskRecoveryBuilder builder)
            => builder.AddTaskHandler<TestArgs, TestHandler>().AddIntervalJob("a", TimeSpan.FromMinutes(5), new TestArgs(1));
    }

    [Fact]
    public void Second_handler_for_a_kind_is_refused()
        => Assert.Throws<InvalidOperationException>(
            () => Create(builder => builder.AddTaskHandler<TestArgs, TestHandler>().AddTaskHandler<TestArgs, SecondTestHandler>()));

    [Fact]
    public void Second_kind_for_one_type_of_args_is_refused()
        => Assert.Throws<InvalidOperationException>(
            () => Create(builder => builder.AddTaskHandler<TestArgs, TestHandler>().AddTaskHandler<TestArgs, TestHandler>("another")));

    [Fact]
    public async Task Worker_and_task_handler_may_share_a_type_of_args()
    {
        await using var host = Create(builder => builder.AddWorker<TestArgs, TestWorker>().AddTaskHandler<TestArgs, TestHandler>());

        await host.StartAsync();
        await host.StopAsync();
    }

    [Fact]
    public async Task Job_whose_args_have_no_kind_is_refused()
    {
        await using var host = Create(static _ => { });
        var jobs = host.Services.GetRequiredService<IJobService>();

        var refused = await Assert.ThrowsAsync<KindNotRegisteredException>(
            () => jobs.CreateOrUpdateAsync(new JobDefinition("x", Schedule.Every(TimeSpan.FromMinutes(1))), new Uri("http://localhost")));

        Assert.Contains("AddTaskHandler<Uri, THandler>()", refused.Message, StringComparison.Ordinal);

        Assert.Empty(_jobs.Upserts);
    }

    [Fact]
    public async Task Process_without_a_handler_may_declare_jobs_by_the_attribute()
    {
        await using var host = Create(static _ => { });

        await host.Services.GetRequiredService<IJobService>().CreateOrUpdateAsync(
            new JobDefinition("x", Schedule.Every(TimeSpan.FromMinutes(1))), new TestArgs());

        Assert.Equal("task:test.work", Assert.Single(_jobs.Upserts).EntryKind);
    }

    public static TheoryData<string, JobDefinition> BadDefinitions => new()
    {
        { "Name", new JobDefinition("", Schedule.Once(DateTimeOffset.UnixEpoch)) },
        { "Name", new JobDefinition("a\0b", Schedule.Once(DateTimeOffset.UnixEpoch)) },
        { "Name", new JobDefinition(new string('x', 201), Schedule.Once(DateTimeOffset.UnixEpoch)) },
        { "Queue", new JobDefinition("x", Schedule.Once(DateTimeOffset.UnixEpoch)) { Queue = " " } },
        { "Queue", new JobDefinition("x", Schedule.Once(DateTimeOffset.UnixEpoch)) { Queue = new string('q', 101) } },
        { "Priority", new JobDefinition("x", Schedule.Once(DateTimeOffset.UnixEpoch)) { Priority = 10 } },
        { "Priority", new JobDefinition("x", Schedule.Once(DateTimeOffset.UnixEpoch)) { Priority = -1 } },
        { "MaxAttempts", new JobDefinition("x", Schedule.Once(DateTimeOffset.UnixEpoch)) { MaxAttempts = 0 } },
        { "MaxAttempts", new JobDefinition("x", Schedule.Once(DateTimeOffset.UnixEpoch)) { MaxAttempts = 1001 } },
        { "Timeout", new JobDefinition("x", Schedule.Once(DateTimeOffset.UnixEpoch)) { Timeout = TimeSpan.Zero } },
        { "Timeout", new JobDefinition("x", Schedule.Once(DateTimeOffset.UnixEpoch)) { Timeout = TimeSpan.FromDays(46) } },
        { "Overlap", new JobDefinition("x", Schedule.Once(DateTimeOffset.UnixEpoch)) { Overlap = (OverlapPolicy)9 } },
        { "MissedRuns", new JobDefinition("x", Schedule.Once(DateTimeOffset.UnixEpoch)) { MissedRuns = (MissedRunPolicy)9 } },
        { "CatchUpLimit", new JobDefinition("x", Schedule.Once(DateTimeOffset.UnixEpoch)) { CatchUpLimit = 0 } },
        { "CatchUpWithin", new JobDefinition("x", Schedule.Once(DateTimeOffset.UnixEpoch)) { CatchUpWithin = TimeSpan.Zero } },
        { "ExpiresAfter", new JobDefinition("x", Schedule.Once(DateTimeOffset.UnixEpoch)) { ExpiresAfter = TimeSpan.FromSeconds(-1) } },
        { "EndAt", new JobDefinition(
            "x", Schedule.Cron("* * * * *")) { StartAt = DateTimeOffset.UnixEpoch, EndAt = DateTimeOffset.UnixEpoch } },
        { "EndAt", new JobDefinition("x", Schedule.Cron("* * * * *")) { EndAt = DateTimeOffset.MaxValue } },
        { "EndAt", new JobDefinition("x", Schedule.Cron("* * * * *")) { EndAt = DateTimeOffset.MinValue } },
        { "StartAt", new JobDefinition("x", Schedule.Cron("* * * * *")) { StartAt = DateTimeOffset.MinValue } },
        { "Schedule", new JobDefinition("x", Schedule.Once(DateTimeOffset.MinValue)) },
        { "The schedule 'cron 0 0 30 2 *'", new JobDefinition("x", Schedule.Cron("0 0 30 2 *")) },
        { "The schedule 'cron 0 0 * * *' except '* 0 * * *'", new JobDefinition(
            "x", Schedule.Cron("0 0 * * *")) { Except = ScheduleExceptions.Cron("* 0 * * *") } },
        { "The schedule 'once at", new JobDefinition(
            "x", Schedule.Once(DateTimeOffset.UnixEpoch)) { Except = ScheduleExceptions.Dates(new DateOnly(1970, 1, 1)) } },
    };

    [Theory]
    [MemberData(nameof(BadDefinitions))]
    public async Task Bad_definition_is_refused_with_the_property_that_is_wrong(string property, JobDefinition definition)
    {
        await using var host = Create(static _ => { });

        var error = await Assert.ThrowsAnyAsync<ArgumentException>(
            () => host.Services.GetRequiredService<IJobService>().CreateOrUpdateAsync(definition, new TestArgs()));

        Assert.StartsWith(property, error.Message, StringComparison.Ordinal);
        Assert.Empty(_jobs.Upserts);
    }

    [Fact]
    public async Task Arguments_that_are_too_large_or_have_a_nul_are_refused()
    {
        await using var host = Create(static _ => { }, options => options.MaxArgsBytes = 1000);
        var jobs = host.Services.GetRequiredService<IJobService>();
        var definition = new JobDefinition("x", Schedule.Every(TimeSpan.FromMinutes(1)));

        await Assert.ThrowsAsync<ArgumentException>(() => jobs.CreateOrUpdateAsync(definition, new TestArgs(Text: new string('x', 1001))));
        await Assert.ThrowsAsync<ArgumentException>(() => jobs.CreateOrUpdateAsync(definition, new TestArgs(Text: "a\0b")));

        Assert.Empty(_jobs.Upserts);
    }

    [Fact]
    public async Task Triggering_a_job_inside_a_transaction_scope_is_refused()
    {
        await using var host = Create(static _ => { });
        using var scope = new System.Transactions.TransactionScope(System.Transactions.TransactionScopeAsyncFlowOption.Enabled);

        var exception = await Assert.ThrowsAsync<InvalidOperationException>(
            () => host.Services.GetRequiredService<IJobService>().TriggerNowAsync(Guid.NewGuid()));

        Assert.Contains("TransactionScope", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Triggering_a_job_that_cannot_run_says_so()
    {
        await using var host = Create(static _ => { });

        await Assert.ThrowsAsync<InvalidOperationException>(
            () => host.Services.GetRequiredService<IJobService>().TriggerNowAsync(Guid.NewGuid()));
    }

    [Theory]
    [InlineData(null, 0, JobState.Active, EndReasons.TaskNotFound)]
    [InlineData(TaskState.Created, 0, JobState.Active, null)]
    [InlineData(TaskState.Running, 3, JobState.Active, null)]
    [InlineData(TaskState.Running, 4, JobState.Active, EndReasons.CrashLoop)]
    [InlineData(TaskState.Running, 0, JobState.Paused, EndReasons.JobNotActive)]
    [InlineData(TaskState.Running, 0, JobState.Ended, null)]
    [InlineData(TaskState.Running, 0, null, EndReasons.JobDeleted)]
    [InlineData(TaskState.Completed, 0, JobState.Active, EndReasons.TaskFinished)]
    [InlineData(TaskState.Failed, 0, JobState.Active, EndReasons.TaskFinished)]
    [InlineData(TaskState.Cancelled, 0, null, EndReasons.TaskFinished)]
    public async Task Task_is_valid_unless_there_is_a_reason(TaskState? task, int crashes, JobState? job, string? reason)
    {
        await using var host = Create(static _ => { });
        _jobs.Task = task is { } state ? _jobs.NewTask(state, crashes) : null;
        _jobs.HasJob = job is not null;
        _jobs.Job = _jobs.Job with { State = job ?? JobState.Active };

        var validity = await host.Services.GetRequiredService<ITaskService>().IsTaskValidAsync(Guid.NewGuid());

        Assert.Equal(new TaskValidity(reason is null, reason), validity);
    }

    private WorkHost Create(Action<TaskRecoveryBuilder> register, Action<TaskRecoveryOptions>? configure = null)
        => _jobs.CreateHost(register, configure);
}
