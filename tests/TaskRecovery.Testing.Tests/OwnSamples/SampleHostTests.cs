using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using TaskRecovery.SampleHost;

namespace TaskRecovery.Testing.Tests.OwnSamples;

/// <summary>The handler of the sample that can be killed: each of its steps is done once, wherever it crashes.</summary>
public sealed class SampleHostTests : IDisposable
{
    private static readonly string[] Steps = ["read", "count", "check-links", "report"];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("taskrecovery-sample-");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task It_counts_and_checks_the_links()
    {
        var world = CreateWorld();

        var run = await TaskHandlerTest.RunAsync(world.CreateHandler(), world.Args, cancellationToken: Cancellation);

        run.ShouldComplete();
        Assert.Equal(Steps, run.StepsRun);
        Assert.Equal(new Totals(2, 4, 8, 2), run.Result<Totals>());
        Assert.Contains("- one.md: lost.md", await File.ReadAllTextAsync(world.Options.ReportPath, Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_step_is_done_once_wherever_it_crashes()
    {
        var world = CreateWorld();

        await TaskHandlerTest.CrashEverywhereAsync(
            world: CreateWorld,
            handler: static world => world.CreateHandler(),
            args: world.Args,
            check: static world => Assert.Equal(
                Steps, Journal.Read(world.Options.JournalPath).Where(line => line.Event == "end").Select(line => line.Step)),
            cancellationToken: Cancellation);
    }

    private World CreateWorld()
    {
        var data = _folder.CreateSubdirectory(Guid.NewGuid().ToString("n")).FullName;
        var docs = _folder.CreateSubdirectory("docs").FullName;
        File.WriteAllText(Path.Combine(docs, "one.md"), "See [two](two.md)\nand [nothing](lost.md)\n");
        File.WriteAllText(Path.Combine(docs, "two.md"), "\n\n");
        return new World(new SampleOptions
        {
            Folder = docs,
            Data = data,
            Every = TimeSpan.FromDays(1),
            Pace = TimeSpan.Zero,
            Once = false,
            Job = "read-docs"
        });
    }

    private sealed record World(SampleOptions Options)
    {
        public ReadDocsArgs Args => new(Options.Folder, Options.ReportPath);

        public ReadDocsHandler CreateHandler()
            => new(Options, new Journal(Options), TimeProvider.System, new ApplicationLifetime(NullLogger<ApplicationLifetime>.Instance));
    }
}
