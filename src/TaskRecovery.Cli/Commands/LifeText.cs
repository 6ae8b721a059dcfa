using System.Globalization;
using TaskRecovery.Cli.Output;
using TaskRecovery.Storage;

namespace TaskRecovery.Cli.Commands;

/// <summary>The life of an entry as text: facts, then what happened in order, then the application's data.</summary>
internal static class LifeText
{
    private const int NameWidth = 12;

    public static void Write(Printer printer, EntryLife life, IReadOnlyList<RunLogLine>? log)
    {
        WriteFacts(printer, life);
        WriteTable(printer, "runs", RunsOf(life.Runs));
        WriteTable(printer, "steps", StepsOf(life.Steps));
        WriteTable(printer, "events", EventsCommand.TableOf(life.Events));
        WriteTable(printer, "bulk operations", OperationsOf(life.Operations));
        foreach (var run in life.Runs.Where(static run => run.BlackBox is not null))
        {
            printer.Line($"black box of fence {Format.Number(run.Fence)}: {Describe(run.BlackBox!)}");
        }

        WriteBlock(printer, "arguments", life.Entry.Args);
        WriteBlock(printer, "result", life.Entry.Result);
        WriteBlock(printer, "error", life.Entry.Error);
        foreach (var line in log ?? [])
        {
            printer.Line($"{Format.Time(line.At)} fence {Format.Number(line.Fence)} {line.Level} {line.Category}: {line.Message}");
        }
    }

    private static void WriteFacts(Printer printer, EntryLife life)
    {
        var entry = life.Entry;
        printer.Line($"entry {Format.Number(entry.Id)}: {entry.State}{(entry.Reason is { } reason ? $" ({reason})" : "")}");
        Fact("kind", entry.Kind);
        Fact("queue", string.Create(CultureInfo.InvariantCulture, $"{entry.Queue}, priority {entry.Priority}"));
        Fact("attempts", string.Create(CultureInfo.InvariantCulture, $"{entry.Attempt} of {entry.MaxAttempts}, {entry.Crashes} crashes"));
        Fact("created", Format.Time(entry.CreatedAt));
        Fact("due", entry.RunAt is { } due ? Format.Time(due) : null);
        Fact("ended", entry.EndedAt is { } ended ? Format.Time(ended) : null);
        Fact("unique key", entry.UniqueKey is { } key ? $"{key}{(life.HoldsUniqueKey ? " (held)" : "")}" : null);
        Fact("claim", life.Claim is { } claim ? $"fence {Format.Number(claim.Fence)} on {claim.Node} "
            + $"since {Format.Time(claim.ClaimedAt)}" : null);
        Fact("at risk", life.WorkAtRisk is { } risk ? $"{Format.Duration(risk)} of work since the last stored step or checkpoint" : null);
        Fact("cancel", life.CancelRequestedAt is { } requested ? $"requested at {Format.Time(requested)}" : null);
        Fact("job", life.Task is { } task ? $"{life.JobName ?? "(deleted)"}, task {task.Id}, {task.State}" : null);
        Fact("progress", life.Progress is { } progress ? Describe(progress) : null);
        Fact("checkpoint", life.Checkpoint is { } stored ? $"{Format.Number(stored.Bytes)} bytes at {Format.Time(stored.StoredAt)}" : null);
        Fact("trace", life.TraceParent);
        foreach (var (name, value) in entry.Metadata ?? new Dictionary<string, string>(StringComparer.Ordinal))
        {
            Fact("metadata", $"{name}={value}");
        }

        void Fact(string name, string? value)
        {
            if (value is not null)
            {
                printer.Line($"{name.PadRight(NameWidth)}{value}");
            }
        }
    }

    private static TextTable RunsOf(IEnumerable<EntryRun> runs)
    {
        var table = new TextTable("fence", "end", "started", "ended", "node", "attempt", "crashes", "reason", "error");
        foreach (var run in runs)
        {
            table.Add(
                Format.Number(run.Fence),
                run.End.ToString(),
                Format.Time(run.StartedAt),
                Format.Time(run.EndedAt),
                Format.Text(run.Node),
                Format.Number(run.Attempt),
                Format.Number(run.Crashes),
                Format.Text(run.Reason),
                Format.Text(run.Error?.Split('\n')[0]));
        }

        return table;
    }

    private static TextTable StepsOf(IEnumerable<EntryStep> steps)
    {
        var table = new TextTable("step", "stored", "fence", "bytes");
        foreach (var step in steps)
        {
            table.Add(step.Name, Format.Time(step.StoredAt), Format.Number(step.Fence), Format.Number(step.Bytes));
        }

        return table;
    }

    private static TextTable OperationsOf(IEnumerable<EntryOperation> operations)
    {
        var table = new TextTable("operation", "action", "result", "started", "by", "reason");
        foreach (var one in operations)
        {
            table.Add(
                Format.Number(one.OperationId),
                one.Undoes is { } undone ? $"{one.Action} of {Format.Number(undone)}"
                    : RetryText.Of(one.Retry) is { } how ? $"{one.Action} {how}"
                    : one.Action.ToString(),
                one.Result == OperatorResult.Done ? "done" : $"refused, because {ActionText.Describe(one.Result)}",
                Format.Time(one.StartedAt),
                $"{one.Audit.Actor}{(one.Audit.Tool is { } tool ? $" ({tool})" : "")}",
                Format.Text(one.Audit.Reason));
        }

        return table;
    }

    public static string Describe(ReportedProgress progress)
    {
        var total = progress.Total is { } some ? $" of {Format.Number(some)}" : "";
        var message = progress.Message is { } text ? $", {text}" : "";
        return $"{Format.Number(progress.Done)}{total}{message} at {Format.Time(progress.ReportedAt)}";
    }

    private static string Describe(BlackBox box)
    {
        var vitals = box.Vitals is { } state
            ? string.Create(CultureInfo.InvariantCulture, $", memory {state.WorkingSetBytes >> 20} of {state.MemoryLimitBytes >> 20} MiB, "
                + $"processor {state.CpuPercent:0} %, {state.Running} running")
            : "";
        var beside = box.RanBeside.Count > 0
            ? $", beside entries {string.Join(' ', box.RanBeside.Select(static id => Format.Number(id)))}"
            : "";
        return $"{box.Proof}, declared by {Format.Text(box.DeclaredBy)}, step {Format.Text(box.Step)}, "
            + $"last progress {Format.Duration(box.ProgressAge)} before{vitals}{beside}";
    }

    private static void WriteTable(Printer printer, string title, TextTable table)
    {
        if (table.Rows.Count > 0)
        {
            printer.Line($"{title}:");
            printer.Table(table);
        }
    }

    private static void WriteBlock(Printer printer, string title, string? text)
    {
        if (text is not null)
        {
            printer.Line($"{title}:");
            printer.Block(text);
        }
    }
}
