using System.ComponentModel;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Testing.Tests.OwnSamples;

/// <summary>The small samples, as a reader starts them.</summary>
public sealed class SmallSampleTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("taskrecovery-samples-");

    private string Database => Path.Combine(_folder.FullName, "sample.db");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task The_minimal_service_continues_where_it_was_killed()
    {
        // On a machine that stands still, it counts on or ends before it is killed.
        var database = Database;
        for (var attempt = 1; !await KillAtTwoAsync(database); attempt++)
        {
            database = Path.Combine(_folder.FullName, $"sample-{attempt}.db");
        }

        await using var again = Start("Minimal", database);
        await again.WaitForLineAsync("Entry 1 continues.");
        if (!again.Lines.Contains("4 of 10"))
        {
            await again.WaitForLineAsync("4 of 10");
        }

        // It was killed beside the checkpoint of the second number, so that one may be printed twice.
        Assert.DoesNotContain("1 of 10", again.Lines);
        Assert.Contains("3 of 10", again.Lines);
    }

    [Fact]
    public async Task The_minimal_service_skips_no_number_when_it_is_stopped_and_started_again()
    {
        // On a machine that stands still, it ends before it is stopped.
        var database = Database;
        var stopped = await StopAtThreeAsync(database);
        for (var attempt = 1; stopped is null; attempt++)
        {
            database = Path.Combine(_folder.FullName, $"sample-{attempt}.db");
            stopped = await StopAtThreeAsync(database);
        }

        await using var again = Start("Minimal", database);
        Assert.Equal(0, await again.WaitForExitAsync());

        Assert.Equal(
            Enumerable.Range(1, 10).Select(static number => $"{number} of 10"),
            stopped.Concat(again.Lines).Where(static line => line.EndsWith(" of 10", StringComparison.Ordinal)).Distinct());
    }

    [Fact]
    public async Task The_crash_demo_of_the_readme_tells_its_story_on_one_screen()
    {
        await using var demo = Start("SampleHost", "--crash-demo");

        Assert.Equal(0, await demo.WaitForExitAsync());
        Assert.InRange(demo.Lines.Count, 10, 24);
        Assert.Contains(demo.Lines, static line => line.StartsWith("demo     killed process", StringComparison.Ordinal));
        Assert.EndsWith("Not run again: 'read' and 'count'.", demo.Lines.Last(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_outbox_stores_the_order_with_its_entry_and_the_invoice_with_its_outcome()
    {
        await using var sample = Start("EfCoreSample", Database);

        Assert.Equal(0, await sample.WaitForExitAsync());
        Assert.Contains(sample.Lines, line => line.Contains("and entry 1 are stored", StringComparison.Ordinal));
        Assert.Contains(sample.Lines, line => line.StartsWith("ada@example.org has the invoice", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_worker_service_is_configured_from_outside_and_exports_traces_and_metrics()
    {
        await using var sample = Start("WorkerSample", $"--ConnectionStrings:tasks=Data Source={Database}");

        await sample.WaitForLineAsync("      Made a thumbnail of");
        sample.Send(Signal.Terminate);
        Assert.Equal(0, await sample.WaitForExitAsync());

        Assert.Contains(sample.Lines, line => line.StartsWith("Activity.DisplayName:", StringComparison.Ordinal)
            && line.EndsWith("process thumbnails", StringComparison.Ordinal));
        Assert.Contains(sample.Lines, line => line.Contains("taskrecovery.entry.finished", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_worker_service_finds_its_configuration_if_the_command_of_the_readme_starts_it()
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var project = Path.Combine(RepositoryFolder.Root, "samples", "TaskRecovery.WorkerSample");
        await using var sample = ChildProcess.Start("dotnet",
        [
            "run", "--no-build", "--configuration", configuration, "--project", project, "--",
            $"--ConnectionStrings:tasks=Data Source={Database}",
        ]);

        try
        {
            // Only appsettings.json says that this process serves the queue of the thumbnails.
            await sample.WaitForLineAsync("      Made a thumbnail of");
        }
        finally
        {
            if (!sample.HasExited)
            {
                // `dotnet run` passes this signal on to the service, which would outlive it otherwise.
                sample.Send(Signal.Terminate);
                await sample.WaitForExitAsync();
            }
        }
    }

    // Returns whether it was killed before it counted to three.
    private static async Task<bool> KillAtTwoAsync(string database)
    {
        await using var sample = Start("Minimal", database);
        await sample.WaitForLineAsync("2 of 10");
        try
        {
            await sample.KillAsync();
        }
        catch (Win32Exception)
        {
            return false; // it has ended
        }

        return !sample.Lines.Contains("3 of 10");
    }

    // Returns what it wrote if it was stopped before it had counted to ten.
    private static async Task<IReadOnlyCollection<string>?> StopAtThreeAsync(string database)
    {
        await using var sample = Start("Minimal", database);
        await sample.WaitForLineAsync("3 of 10");
        try
        {
            sample.Send(Signal.Terminate);
        }
        catch (Win32Exception)
        {
            return null; // it has ended
        }

        Assert.Equal(0, await sample.WaitForExitAsync());
        return sample.Lines.Contains("10 of 10") ? null : sample.Lines;
    }

    private static ChildProcess Start(string sample, string argument)
    {
        // The samples are built beside the tests, with the same configuration and framework.
        var root = RepositoryFolder.Root;
        var output = Path.GetRelativePath(Path.Combine(root, "tests", "TaskRecovery.Testing.Tests"), AppContext.BaseDirectory);
        return ChildProcess.StartDotnet(
            Path.Combine(root, "samples", $"TaskRecovery.{sample}", output, $"TaskRecovery.{sample}.dll"), [argument]);
    }
}
