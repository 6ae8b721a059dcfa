namespace TaskRecovery.SampleHost;

/// <summary>A file that says which step of which task began and ended, in order. Each line reaches the file before the work continues, so a
/// kill can't hide one.</summary>
internal sealed class Journal(SampleOptions options)
{
    public async Task WriteAsync(JournalLine line, CancellationToken cancellationToken)
        => await File.AppendAllTextAsync(options.JournalPath, line + Environment.NewLine, cancellationToken);

    public static IReadOnlyList<JournalLine> Read(string path)
        => File.Exists(path) ? [.. File.ReadLines(path).Select(JournalLine.Parse)] : [];
}

/// <summary>One line of the journal.</summary>
/// <param name="ProcessId">The process that wrote it.</param>
/// <param name="TaskId">The task.</param>
/// <param name="Event"><c>begin</c>, <c>end</c> or <c>done</c>.</param>
/// <param name="Step">The step.</param>
internal sealed record JournalLine(int ProcessId, Guid TaskId, string Event, string Step)
{
    public override string ToString() => $"{ProcessId} {TaskId} {Event} {Step}";

    public static JournalLine Parse(string line)
        => line.Split(' ') is [var process, var task, var what, var step]
            ? new JournalLine(int.Parse(process, System.Globalization.CultureInfo.InvariantCulture), Guid.Parse(task), what, step)
            : throw new FormatException($"'{line}' is not a line of the journal.");
}
