using System.Globalization;
using System.Text;
using Microsoft.Extensions.Hosting;

namespace TaskRecovery.SampleHost;

/// <summary>What the job is told.</summary>
[JobKind("docs.read")]
internal sealed record ReadDocsArgs(string Folder, string Report);

/// <summary>Reads the Markdown files of a folder, counts them, checks the links between them and writes a report: four steps, each done
/// once.</summary>
internal sealed class ReadDocsHandler(SampleOptions options, Journal journal, TimeProvider time, IHostApplicationLifetime lifetime)
    : ITaskHandler<ReadDocsArgs>
{
    public async Task RunAsync(TaskContext<ReadDocsArgs> context, CancellationToken cancellationToken)
    {
        Console.WriteLine($"task     {context.TaskId} attempt {context.Attempt}{(context.Crashes > 0 ? ", recovered after a crash" : "")}");

        var files = await StepAsync(context, "read", ReadFilesAsync, static read => $"{read.Count} files", cancellationToken);
        var totals = await StepAsync(
            context, "count", token => CountAsync(files, token), static totals => $"{totals.Words:N0} words", cancellationToken);
        var broken = await StepAsync(
            context, "check-links", token => CheckLinksAsync(context.Args.Folder, files, token),
            static broken => $"{broken.Count} broken links", cancellationToken);
        await StepAsync(
            context, "report", token => WriteReportAsync(context.Args.Report, totals, broken, token),
            static path => path, cancellationToken);

        context.SetResult(totals);
        await journal.WriteAsync(new JournalLine(Environment.ProcessId, context.TaskId, "done", "task"), cancellationToken);
        Console.WriteLine("done");
        if (options.Once)
        {
            lifetime.StopApplication();
        }

        async Task<IReadOnlyList<MarkdownFile>> ReadFilesAsync(CancellationToken token)
        {
            var read = new List<MarkdownFile>();
            foreach (var path in Directory
                .EnumerateFiles(context.Args.Folder, "*.md", SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal))
            {
                read.Add(await MarkdownFile.ReadAsync(context.Args.Folder, path, token));
                await ShowAsync("read", read.Count, read[^1].Path, options.Pace, token);
            }

            return read;
        }
    }

    /// <summary>A step with a line in the journal at its begin and its end.</summary>
    private Task<T> StepAsync<T>(
        TaskContext<ReadDocsArgs> context,
        string name,
        Func<CancellationToken, Task<T>> work,
        Func<T, string> describe,
        CancellationToken cancellationToken)
        => context.StepAsync(
            name,
            async token =>
            {
                await journal.WriteAsync(new JournalLine(Environment.ProcessId, context.TaskId, "begin", name), token);
                var result = await work(token);
                await journal.WriteAsync(new JournalLine(Environment.ProcessId, context.TaskId, "end", name), token);
                Console.WriteLine($"step     {name,-12} {describe(result)}");
                return result;
            },
            cancellationToken);

    private async Task<Totals> CountAsync(IReadOnlyList<MarkdownFile> files, CancellationToken cancellationToken)
    {
        var totals = new Totals(0, 0, 0, 0);
        foreach (var file in files)
        {
            totals = new Totals(totals.Files + 1, totals.Lines + file.Lines, totals.Words + file.Words, totals.Links + file.Links.Count);
            await ShowAsync("count", totals.Files, file.Path, options.Pace, cancellationToken);
        }

        return totals;
    }

    private async Task<IReadOnlyList<string>> CheckLinksAsync(
        string folder, IReadOnlyList<MarkdownFile> files, CancellationToken cancellationToken)
    {
        var broken = new List<string>();
        var checkedFiles = 0;
        foreach (var file in files)
        {
            broken.AddRange(file.BrokenLinks(folder).Select(link => $"{file.Path}: {link}"));
            await ShowAsync("check-links", ++checkedFiles, file.Path, options.LinkPace ?? options.Pace, cancellationToken);
        }

        return broken;
    }

    private static async Task<string> WriteReportAsync(
        string path, Totals totals, IReadOnlyList<string> broken, CancellationToken cancellationToken)
    {
        var report = new StringBuilder("# What the docs hold\n\n")
            .Append(CultureInfo.InvariantCulture, $"{totals.Files} files, {totals.Lines} lines, {totals.Words} words, {totals.Links} links "
                + $"between them, {broken.Count} of them broken.\n\n")
            .AppendJoin('\n', broken.Select(link => $"- {link}"));
        await File.WriteAllTextAsync(path, report.ToString(), cancellationToken);
        return path;
    }

    private async Task ShowAsync(string step, int number, string file, TimeSpan pace, CancellationToken cancellationToken)
    {
        Console.WriteLine($"  {step,-12} {number,3}  {file}");
        await Task.Delay(pace, time, cancellationToken);
    }
}

/// <summary>What was counted.</summary>
internal sealed record Totals(int Files, int Lines, int Words, int Links);
