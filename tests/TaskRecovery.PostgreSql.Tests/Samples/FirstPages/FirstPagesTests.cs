using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TaskRecovery.TestSupport;

namespace TaskRecovery.PostgreSql.Tests.Samples.FirstPages;

/// <summary>The pages that a newcomer reads first: their code is that of this folder, and it runs.</summary>
public sealed class FirstPagesTests : IAsyncLifetime
{
    private readonly World _world = new();
    private PostgresDatabase? _database;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
        => _database = await MigratedDatabase.CreateAsync("first_pages");

    public ValueTask DisposeAsync() => _database!.DisposeAsync();

    [Theory]
    [InlineData("../README.md", 2)]
    [InlineData("../build/readmes/TaskRecovery.md", 1)]
    [InlineData("getting-started.md", 12)]
    public void Every_example_of_a_page_is_in_this_folder(string page, int count)
    {
        const string folder = "tests/TaskRecovery.PostgreSql.Tests/Samples/FirstPages";
        var code = PageExamples.CodeOf(folder, "*.cs") + PageExamples.CodeOf($"{folder}/Readme", "*.cs");
        var examples = PageExamples.Of(page);

        Assert.Equal(count, examples.Count);
        Assert.All(
            examples.SelectMany(static example => example.Split("\n\n")),
            part => Assert.Contains(PageExamples.Squeeze(part), code, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Mails_are_sent_now_and_later_with_metadata_of_the_compiler_too()
    {
        var builder = Builder();
        GettingStarted.AddNative(builder, _database!.ConnectionString);
        using var host = await StartAsync(builder);
        var queue = host.Services.GetRequiredService<IJobQueue>();

        var first = await GettingStarted.EnqueueAsync(queue, Cancellation);
        await GettingStarted.EnqueueLaterAsync(queue, Cancellation);

        Assert.False(first.IsDuplicate);
        Assert.Equal("mail to ada@example.org: Hello", await _world.NextAsync());
        var waiting = await queue.ListAsync(new EntryFilter { Queue = "mail" }, Cancellation);
        Assert.Equal("4711", Assert.Single(waiting.Entries).Metadata!["customer"]);
        await host.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Arguments_without_metadata_of_the_compiler_fail_the_start()
    {
        var builder = Builder();
        builder.Services.AddTaskRecovery(static options => options.Json = OtherJson.Default.Options)
            .UsePostgreSql(_database!.ConnectionString)
            .AddWorker<SendMail, SendMailWorker>();
        using var host = builder.Build();

        var refused = await Assert.ThrowsAnyAsync<Exception>(() => host.StartAsync(Cancellation));

        Assert.Contains("[JsonSerializable(typeof(SendMail))]", refused.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Steps_checkpoints_jobs_and_middleware_run_as_they_are_written()
    {
        var builder = Builder();
        GettingStarted.AddJob(builder, _database!.ConnectionString);
        GettingStarted.AddMiddleware(builder);
        builder.Services.AddTaskRecovery().AddWorker<Import, ImportWorker>().AddWorker<ReadPages, ReadPagesWorker>();
        using var host = await StartAsync(builder);
        Assert.Equal("tenant none", await _world.NextAsync());
        Assert.Equal("deleted older than 30", await _world.NextAsync());
        var queue = host.Services.GetRequiredService<IJobQueue>();

        var tenant = new EnqueueOptions { Metadata = new Dictionary<string, string> { ["tenant"] = "ann" } };
        await queue.EnqueueAsync(new Import("1 2"), tenant, Cancellation);
        Assert.Equal(["tenant ann", "got 1 2", "published 2"], await NextAsync(3));

        await queue.EnqueueAsync(new ReadPages(2), tenant, Cancellation);
        Assert.Equal(["tenant ann", "got page 0", "got page 1"], await NextAsync(3));
        await host.StopAsync(Cancellation);
    }

    [Fact]
    public async Task A_process_that_only_enqueues_runs_nothing_and_the_last_outcome_counts()
    {
        var builder = Builder();
        GettingStarted.AddKind(builder, _database!.ConnectionString);
        using (var enqueuer = await StartAsync(builder))
        {
            await GettingStarted.EnqueueAsync(enqueuer.Services.GetRequiredService<IJobQueue>(), Cancellation);
            await enqueuer.StopAsync(Cancellation);
        }

        var worker = Builder();
        worker.Configuration["ConnectionStrings:Tasks"] = _database!.ConnectionString;
        GettingStarted.AddFirst(worker);
        worker.Services.AddTaskRecovery().AddMiddleware<Ending>();
        using var host = await StartAsync(worker);

        Assert.Equal("ended", await _world.NextAsync());
        await host.StopAsync(Cancellation);
        var entry = Assert.Single((await host.Services.GetRequiredService<IJobQueue>().ListAsync(cancellationToken: Cancellation)).Entries);
        Assert.Equal((EntryState.Cancelled, 20), (entry.State, entry.MaxAttempts));
    }

    private async Task<List<string>> NextAsync(int count)
    {
        var done = new List<string>();
        while (done.Count < count)
        {
            done.Add(await _world.NextAsync());
        }

        return done;
    }

    private HostApplicationBuilder Builder()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddPatience();
        builder.Services.AddSingleton(_world).AddSingleton<IMailer>(_world).AddSingleton<IPages>(_world).AddSingleton<IArchive>(_world)
            .AddSingleton<ITenants>(_world);
        return builder;
    }

    private static async Task<IHost> StartAsync(HostApplicationBuilder builder)
    {
        var host = builder.Build();
        await host.StartAsync(Cancellation);
        return host;
    }

    private sealed class Ending(World world) : IWorkMiddleware
    {
        public async Task InvokeAsync(WorkContext context, WorkDelegate next, CancellationToken cancellationToken)
        {
            GettingStarted.End(context);
            await world.AddAsync("ended");
        }
    }

    /// <summary>What the examples call, and what they did, in order.</summary>
    private sealed class World : IMailer, IPages, IArchive, ITenants
    {
        private readonly Channel<string> _done = Channel.CreateUnbounded<string>();

        public async Task AddAsync(string what) => await _done.Writer.WriteAsync(what);

        public Task<string> NextAsync() => _done.Reader.ReadAsync(Cancellation).AsTask().WaitAsync(TimeSpan.FromMinutes(2), Cancellation);

        public Task SendAsync(string to, string subject, CancellationToken cancellationToken) => AddAsync($"mail to {to}: {subject}");

        public async Task<string> GetAsync(string url, CancellationToken cancellationToken)
        {
            await AddAsync($"got {url}");
            return url;
        }

        public Task PublishAsync(int[] rows, CancellationToken cancellationToken) => AddAsync($"published {rows.Length}");

        public Task DeleteAsync(int olderThanDays, CancellationToken cancellationToken) => AddAsync($"deleted older than {olderThanDays}");

        public IDisposable Enter(string? tenant)
        {
            Assert.True(_done.Writer.TryWrite($"tenant {tenant ?? "none"}"));
            return new MemoryStream();
        }
    }
}
