using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace TaskRecovery.SampleHost;

/// <summary>Plays the whole story: a host is started, killed in the middle of a step and started again. This process only starts, kills and
/// reads.</summary>
internal static class CrashDemo
{
    private const string InterruptedStep = "check-links";

    // The first host lingers in the step in which it is killed, so that the kill comes in time on a busy machine too.
    private static readonly TimeSpan InterruptedPace = TimeSpan.FromSeconds(2);

    public static async Task<int> RunAsync(SampleOptions options, CancellationToken cancellationToken)
    {
        // A job of its own, so that a database which is in use already neither disturbs the demo nor keeps anything of it.
        options = options with { Job = $"demo-{Guid.NewGuid():N}" };
        Console.WriteLine($"demo     everything is in {options.Data}");

        Console.WriteLine("demo     starting a host");
        var firstProcess = await KillInStepAsync(options, cancellationToken);

        Console.WriteLine("demo     starting it again");
        var clock = Stopwatch.StartNew();
        var (secondProcess, resumedAfter) = await RunToTheEndAsync(options, clock, cancellationToken);

        var failures = await CheckAsync(options, firstProcess, secondProcess, cancellationToken);
        foreach (var failure in failures)
        {
            Console.WriteLine($"demo     WRONG: {failure}");
        }

        Console.WriteLine(failures.Count == 0
            ? $"demo     OK: {resumedAfter.TotalSeconds:0.0} s after the restart the same task continued with step '{InterruptedStep}'. "
                + "Not run again: 'read' and 'count'."
            : "demo     FAILED");
        return failures.Count == 0 ? 0 : 1;
    }

    /// <summary>Starts a host and kills it while it is in the third step.</summary>
    private static async Task<int> KillInStepAsync(SampleOptions options, CancellationToken cancellationToken)
    {
        using var child = StartChild(options with { LinkPace = InterruptedPace });
        while (await child.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            Show(child, line);
            if (line.StartsWith($"  {InterruptedStep}", StringComparison.Ordinal))
            {
                child.Kill();
                await child.WaitForExitAsync(cancellationToken);
                Console.WriteLine(
                    $"demo     killed process {child.Id} with SIGKILL in the middle of step '{InterruptedStep}', at {line.Split(' ')[^1]}");
                return child.Id;
            }
        }

        await child.WaitForExitAsync(cancellationToken);
        throw new InvalidOperationException(
            $"The host ended by itself (exit code {child.ExitCode}) before it reached step '{InterruptedStep}'.");
    }

    /// <summary>Starts the host again and lets it finish.</summary>
    private static async Task<(int ProcessId, TimeSpan ResumedAfter)> RunToTheEndAsync(
        SampleOptions options, Stopwatch clock, CancellationToken cancellationToken)
    {
        using var child = StartChild(options);
        var resumedAfter = TimeSpan.Zero;
        while (await child.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            Show(child, line);
            if (resumedAfter == TimeSpan.Zero && line.StartsWith("task", StringComparison.Ordinal))
            {
                resumedAfter = clock.Elapsed;
            }
        }

        await child.WaitForExitAsync(cancellationToken);
        return (child.Id, resumedAfter);
    }

    // The lines of single files would fill screens, and the library's messages are for its users.
    private static void Show(Process child, string line)
    {
        if (!line.StartsWith("  ", StringComparison.Ordinal) && !line.StartsWith("info: ", StringComparison.Ordinal))
        {
            Console.WriteLine($"  {child.Id}  {line}");
        }
    }

    private static Process StartChild(SampleOptions options)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardOutput = true,
            ArgumentList =
            {
                "--once", "--every", "3600", "--job", options.Job, "--folder", options.Folder, "--data", options.Data,
                "--pace", Milliseconds(options.Pace),
            },
        };
        if (options.LinkPace is { } linkPace)
        {
            start.ArgumentList.Add("--link-pace");
            start.ArgumentList.Add(Milliseconds(linkPace));
        }

        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath!).Equals("dotnet", StringComparison.OrdinalIgnoreCase))
        {
            start.ArgumentList.Insert(0, Path.Combine(AppContext.BaseDirectory, "TaskRecovery.SampleHost.dll"));
        }

        // The child inherits the environment variable with the connection string.
        if (options.Postgres is not null)
        {
            start.ArgumentList.Add("--postgres");
        }

        return Process.Start(start) ?? throw new InvalidOperationException("The host could not be started.");

        static string Milliseconds(TimeSpan time)
            => ((int)time.TotalMilliseconds).ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Reads the journal and the task's record, and says what is not as promised.</summary>
    private static async Task<IReadOnlyList<string>> CheckAsync(
        SampleOptions options, int firstProcess, int secondProcess, CancellationToken cancellationToken)
    {
        var failures = new List<string>();
        var journal = Journal.Read(options.JournalPath);
        var ofFirst = journal.Where(line => line.ProcessId == firstProcess).ToList();
        var ofSecond = journal.Where(line => line.ProcessId == secondProcess).ToList();

        if (journal.Select(line => line.TaskId).Distinct().ToList() is not [var taskId])
        {
            return [$"expected one task in the journal, found {journal.Select(line => line.TaskId).Distinct().Count()}"];
        }

        foreach (var step in new[] { "read", "count" })
        {
            Expect(Count(journal, "begin", step) == 1
                && Count(ofFirst, "end", step) == 1, $"step '{step}' should have run once, in the first process");
        }

        Expect(Count(ofFirst, "begin", InterruptedStep) == 1
            && Count(ofFirst, "end", InterruptedStep) == 0, $"step '{InterruptedStep}' should have been interrupted in the first process");
        Expect(Count(ofSecond, "begin", InterruptedStep) == 1
            && Count(ofSecond, "end", InterruptedStep) == 1, $"step '{InterruptedStep}' should have run again in the second process");
        Expect(Count(ofSecond, "begin", "report") == 1
            && Count(journal, "begin", "report") == 1, "step 'report' should have run once, in the second process");
        Expect(Count(ofSecond, "done", "task") == 1, "the second process should have finished the task");
        Expect(File.Exists(options.ReportPath), "the report should have been written");

        var record = await ReadRecordAsync(options, taskId, cancellationToken);
        Expect(record is { State: TaskState.Completed, Crashes: 1 }, "the task's record should be completed after one crash, "
            + $"but is {record?.State.ToString() ?? "missing"} after {record?.Crashes} crash(es)");
        return failures;

        void Expect(bool condition, string message)
        {
            if (!condition)
            {
                failures.Add(message);
            }
        }

        static int Count(IEnumerable<JournalLine> lines, string what, string step)
            => lines.Count(line => line.Event == what && line.Step == step);
    }

    /// <summary>Reads the task's record and removes the demo's job.</summary>
    private static async Task<TaskRecord?> ReadRecordAsync(SampleOptions options, Guid taskId, CancellationToken cancellationToken)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        Host.Add(services, options);
        await using var provider = services.BuildServiceProvider();

        var record = await provider.GetRequiredService<ITaskService>().GetAsync(taskId, cancellationToken);
        if (record is not null)
        {
            await provider.GetRequiredService<IJobService>().DeleteAsync(record.JobId, cancellationToken);
        }

        return record;
    }
}
