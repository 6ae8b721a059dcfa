using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Hosting;
using TaskRecovery.Jobs;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Jobs;

/// <summary>Declared jobs, and jobs that are no longer declared, that another transaction has locked.</summary>
public sealed class LockedDeclarationTests
{
    private readonly ScriptedJobs _jobs = new();

    [Theory]
    [InlineData(true)]
    [InlineData(false)] // a process that works no queue does not wait for an orphan
    public async Task An_orphan_that_is_locked_is_left_and_the_others_are_deleted(bool works)
    {
        _jobs.Declared.Add(new DeclaredJob("locked", "digest", IsOrphaned: true));
        _jobs.Declared.Add(new DeclaredJob("free", "digest", IsOrphaned: true));
        _jobs.Locked.Add("locked");
        await using var host = Create(
            builder => _ = works
                ? builder.AddTaskHandler<TestArgs, TestHandler>()
                : builder.AddIntervalJob("digest", TimeSpan.FromMinutes(5), new TestArgs(1)),
            options => options.OrphanedJobs = OrphanedJobPolicy.Delete);

        await host.StartAsync();
        await host.StopAsync();

        Assert.Single(_jobs.Deleted);
        Assert.Equal((1, 1), (host.Log.Count(4008), host.Log.Count(4011)));
    }

    [Fact]
    public async Task A_job_that_is_locked_is_declared_later_and_keeps_the_host_from_nothing()
    {
        _jobs.Declared.Add(new DeclaredJob("clean-up", "digest", IsOrphaned: false));
        _jobs.Locked.UnionWith(["digest", "clean-up"]);
        await using var host = Create(DeclareTwo);

        await host.StartAsync();
        var declarations = DeclarationsOf(host);
        var (first, wasIncomplete) = (_jobs.Upserts.Select(static job => job.Definition.Name).ToList(), declarations.IsIncomplete);
        await declarations.CompleteAsync(CancellationToken.None);
        _jobs.Locked.Clear();
        await declarations.CompleteAsync(CancellationToken.None);
        await host.StopAsync();

        Assert.Equal(["report"], first);
        Assert.Equal((true, false), (wasIncomplete, declarations.IsIncomplete));
        Assert.Equal(1, host.Log.Count(4010));
        Assert.Equal(["report", "digest"], _jobs.Upserts.Select(static job => job.Definition.Name));
        Assert.Empty(_jobs.Orphaned);
    }

    [Fact]
    public async Task A_declaration_that_is_completed_later_changes_only_the_job_that_was_locked()
    {
        _jobs.Locked.Add("digest");
        await using var host = Create(DeclareTwo);
        await host.StartAsync();
        _jobs.Upserts.Clear();
        _jobs.Declared.Add(new DeclaredJob("report", "the digest of a newer version", IsOrphaned: false));
        _jobs.Declared.Add(new DeclaredJob("of-a-newer-version", "digest", IsOrphaned: false));
        _jobs.Locked.Clear();

        await DeclarationsOf(host).CompleteAsync(CancellationToken.None);
        await host.StopAsync();

        Assert.Equal("digest", Assert.Single(_jobs.Upserts).Definition.Name);
        Assert.Empty(_jobs.Orphaned);
        Assert.Equal(0, host.Log.Count(4013));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("the digest of a newer version")]
    public async Task A_locked_job_that_another_process_has_declared_or_deleted_since_is_left_as_it_is(string? since)
    {
        _jobs.Declared.Add(new DeclaredJob("digest", "the digest of an older version", IsOrphaned: false));
        _jobs.Locked.Add("digest");
        await using var host = Create(DeclareTwo);
        await host.StartAsync();
        _jobs.Declared.Clear();
        if (since is not null)
        {
            _jobs.Declared.Add(new DeclaredJob("digest", since, IsOrphaned: false));
        }

        _jobs.Locked.Clear();
        var declarations = DeclarationsOf(host);
        await declarations.CompleteAsync(CancellationToken.None);
        await host.StopAsync();

        Assert.Equal("report", Assert.Single(_jobs.Upserts).Definition.Name);
        Assert.Equal((1, false), (host.Log.Count(4013), declarations.IsIncomplete));
    }

    [Fact]
    public async Task Many_locked_jobs_keep_the_others_waiting_for_one_round_only()
    {
        const int locked = 21;
        var names = Enumerable.Range(0, locked).Select(static number => $"locked-{number}").ToList();
        _jobs.Locked.UnionWith(names);
        await using var host = Create(builder =>
        {
            builder.AddTaskHandler<TestArgs, TestHandler>();
            foreach (var name in names.Append("free"))
            {
                builder.AddIntervalJob(name, TimeSpan.FromMinutes(5), new TestArgs(1));
            }
        });

        await host.StartAsync();
        var (lines, notTried) = (host.Log.Count(4010), host.Log.Count(4012));
        var declarations = DeclarationsOf(host);
        await declarations.CompleteAsync(CancellationToken.None);
        await host.StopAsync();

        Assert.Equal((20, 1), (lines, notTried));
        Assert.Equal("free", Assert.Single(_jobs.Upserts).Definition.Name);
        Assert.Equal((locked, true), (host.Log.Count(4010), declarations.IsIncomplete));
    }

    [Fact]
    public async Task A_process_that_works_no_queue_waits_for_a_job_that_is_locked()
    {
        _jobs.Locked.Add("digest");
        _jobs.OnLocked = attempts =>
        {
            if (attempts == 3)
            {
                _jobs.Locked.Clear();
            }
        };
        await using var host = Create(builder => builder.AddIntervalJob("digest", TimeSpan.FromMinutes(5), new TestArgs(1)));

        await host.StartAsync();
        await host.StopAsync();

        Assert.Equal("digest", Assert.Single(_jobs.Upserts).Definition.Name);
        Assert.Equal(0, host.Log.Count(4010));
    }

    [Fact]
    public async Task A_process_that_works_no_queue_does_not_start_if_a_job_stays_locked()
    {
        var most = 0;
        _jobs.Locked.Add("digest");
        _jobs.OnLocked = attempts => most = attempts;
        await using var host = Create(builder => builder.AddIntervalJob("digest", TimeSpan.FromMinutes(5), new TestArgs(1)));

        var error = await Assert.ThrowsAsync<StoreUnavailableException>(() => host.StartAsync());

        Assert.True(error.IsLockTimeout);
        Assert.Equal(60, most);
    }

    private static void DeclareTwo(TaskRecoveryBuilder builder)
        => builder
            .AddTaskHandler<TestArgs, TestHandler>()
            .AddIntervalJob("digest", TimeSpan.FromMinutes(5), new TestArgs(1))
            .AddIntervalJob("report", TimeSpan.FromMinutes(5), new TestArgs(2));

    private static JobDeclarations DeclarationsOf(WorkHost host)
        => Assert.Single(host.Services.GetServices<IStartupStep>().OfType<JobDeclarations>());

    private WorkHost Create(Action<TaskRecoveryBuilder> register, Action<TaskRecoveryOptions>? configure = null)
        => _jobs.CreateHost(register, configure);
}
