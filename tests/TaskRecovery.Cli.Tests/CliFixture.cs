using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TaskRecovery.Cli.Commands;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Tests;

/// <summary>A database, the tool over it in this process, and the library over it to prepare what the tool shows.</summary>
internal sealed class CliFixture : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("taskrecovery-cli-").FullName;
    private readonly string? _server;

    /// <summary>Uses a new SQLite file, or the PostgreSQL database of a connection string.</summary>
    public CliFixture(string? server = null)
    {
        _server = server;
        Variables = new Dictionary<string, string>(StringComparer.Ordinal) { ["TASKRECOVERY_CONNECTION"] = ConnectionString };
    }

    /// <summary>The file of SQLite.</summary>
    public string File => Path.Combine(_folder, "tasks.db");

    public string ConnectionString => _server ?? $"Data Source={File}";

    /// <summary>The environment of the tool.</summary>
    public Dictionary<string, string> Variables { get; }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Runs the tool where there is no terminal.</summary>
    public Task<CliResult> RunAsync(params string[] args) => RunAsync(args, answer: null);

    /// <summary>Runs the tool, with a terminal to ask if there is an answer.</summary>
    public async Task<CliResult> RunAsync(string[] args, string? answer, bool isRich = false, CancellationToken? cancellationToken = null)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        using var input = new StringReader(answer ?? "");
        var terminal = new Terminal
        {
            Out = output,
            Error = error,
            In = input,
            CanAsk = answer is not null,
            IsRich = isRich,
            Variable = name => Variables.GetValueOrDefault(name),
        };
        var code = await CommandLine.RunAsync(args, terminal, cancellationToken ?? Cancellation);
        return new CliResult(code, output.ToString(), error.ToString());
    }

    /// <summary>Creates the tables with the tool.</summary>
    public async Task<CliFixture> MigratedAsync()
    {
        Assert.Equal(0, (await RunAsync("migrate", "--yes")).ExitCode);
        return this;
    }

    /// <summary>Stores waiting entries.</summary>
    public async Task<IReadOnlyList<long>> EnqueueAsync(int count, EnqueueOptions? options = null)
    {
        await using var services = Services();
        var stored = await services.GetRequiredService<IJobQueue>().EnqueueManyAsync(
            Enumerable.Range(0, count).Select(page => EnqueueRequest.Create(new Render(page), options)), cancellationToken: Cancellation);
        return [.. stored.Select(one => one.Id)];
    }

    /// <summary>Stores a job that runs every hour.</summary>
    public async Task<Job> CreateJobAsync(string name)
    {
        await using var services = Services();
        return await services.GetRequiredService<IJobService>()
            .CreateOrUpdateAsync(new JobDefinition(name, Schedule.Every(TimeSpan.FromHours(1))), new Render(0), Cancellation);
    }

    /// <summary>Runs an entry whose handler fails, in a host that stops afterwards.</summary>
    public async Task<long> RunFailingAsync(string error)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        var ran = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        builder.Services.AddSingleton(ran);
        builder.Services.AddSingleton(error);
        Use(builder.Services.AddTaskRecovery(options => options.NodeName = "worker")).AddWorker<Render, FailingRenderer>(
            "render", worker => worker.KeepRunLog = true);
        using var host = builder.Build();
        await host.StartAsync(Cancellation);
        var entry = await host.Services.GetRequiredService<IJobQueue>().EnqueueAsync(new Render(1), cancellationToken: Cancellation);
        await ran.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
        await host.StopAsync(Cancellation);
        return entry.Id;
    }

    private ServiceProvider Services()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        Use(services.AddTaskRecovery()).AddKind<Render>("render");
        return services.BuildServiceProvider();
    }

    private TaskRecoveryBuilder Use(TaskRecoveryBuilder builder)
        => _server is null ? builder.UseSqlite(ConnectionString) : builder.UsePostgreSql(_server);

    [JobKind("render")]
    public sealed record Render(int Page);

    public sealed class FailingRenderer(ILogger<FailingRenderer> logger, string error, TaskCompletionSource ran) : IJobWorker<Render>
    {
        public async Task WorkAsync(WorkContext<Render> context, CancellationToken cancellationToken)
        {
            logger.LogInformation("rendering page 1");
            await context.StepAsync("layout", _ => Task.FromResult(7), cancellationToken);
            ran.SetResult();
            context.Fail(error);
        }
    }
}
