using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Pages;

namespace TaskRecovery.Dashboard.Api;

/// <summary>Answers as a user may see them: data through the redactor, or not at all.</summary>
internal sealed class ApiData(DataView data)
{
    public EntryLife Of(DashboardRequest request, EntryLife life)
    {
        var entry = life.Entry;
        return life with
        {
            Entry = entry with
            {
                Args = Text(request, life, DashboardPart.Args, entry.Args) ?? "",
                Result = Text(request, life, DashboardPart.Result, entry.Result),
                Error = Text(request, life, DashboardPart.Error, entry.Error),
                UniqueKey = Text(request, life, DashboardPart.UniqueKey, entry.UniqueKey),
                Metadata = Metadata(request, entry),
            },
            Runs = [.. life.Runs.Select(run => run with
            {
                Error = Text(request, life, DashboardPart.Error, run.Error),
                BlackBox = run.BlackBox is { } box ? box with { Step = Text(request, life, DashboardPart.StepName, box.Step) } : null,
            })],
            Steps = [.. life.Steps.Select(
                step => step with { Name = Text(request, life, DashboardPart.StepName, step.Name) ?? "" })],
            Progress = life.Progress is { } progress
                ? progress with { Message = Text(request, life, DashboardPart.Log, progress.Message) }
                : null,
            Task = life.Task is { } task ? Of(request, task, entry.Kind) : null,
        };
    }

    /// <summary>Tasks with their results and errors. A redactor decides by the kind, so those of a job that was deleted are not
    /// shown.</summary>
    public TaskPage Of(DashboardRequest request, TaskList list) => list.Page with
    {
        Tasks = [.. list.Page.Tasks.Select(task => list.Jobs.TryGetValue(task.JobId, out var job)
            ? Of(request, task, job.Kind)
            : task with { Result = null, Error = null })],
    };

    public ApiJob Of(DashboardRequest request, Job job)
        => ApiJob.Of(job, data.Read(request, new DashboardText(DashboardPart.Args, job.Kind, null, job.Args)));

    /// <summary>A step with its result, which the redactor sees with the name of the step.</summary>
    public ApiStep Of(DashboardRequest request, EntryLife life, int number, string result)
    {
        var step = life.Steps[number - 1];
        return new ApiStep(
            number, Text(request, life, DashboardPart.StepName, step.Name), step.StoredAt, step.Fence, step.Bytes,
            data.Read(request, new DashboardText(DashboardPart.Step, life.Entry.Kind, step.Name, result)));
    }

    public ApiCheckpoint Of(DashboardRequest request, EntryLife life, EntryCheckpoint checkpoint, string value)
        => new(checkpoint.StoredAt, checkpoint.Fence, checkpoint.Bytes, Text(request, life, DashboardPart.Checkpoint, value));

    public IReadOnlyList<RunLogLine> Of(DashboardRequest request, EntryLife life, IEnumerable<RunLogLine> lines)
        => [.. lines.Select(line => line with { Message = Text(request, life, DashboardPart.Log, line.Message) ?? "" })];

    public static IReadOnlyList<BulkOperation> Of(DashboardRequest request, IEnumerable<BulkOperation> operations)
        => [.. operations.Select(one => Of(request, one))];

    // The query of an operation may name data: a key, metadata or a text of arguments, which no redactor has seen.
    public static BulkOperation Of(DashboardRequest request, BulkOperation operation)
        => request.Access.Search || operation.Query is not { } query ? operation
            : operation with { Query = query with { UniqueKey = null, Metadata = null, Text = null, Scope = null } };

    private TaskRecord Of(DashboardRequest request, TaskRecord task, string kind) => task with
    {
        Result = task.Result is { } result ? data.Read(request, new DashboardText(DashboardPart.Result, kind, null, result)) : null,
        Error = task.Error is { } error ? data.Read(request, new DashboardText(DashboardPart.Error, kind, null, error)) : null,
    };

    private Dictionary<string, string>? Metadata(DashboardRequest request, QueueEntry entry)
    {
        if (!request.Access.Data || entry.Metadata is not { Count: > 0 } metadata)
        {
            return null;
        }

        var shown = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in metadata)
        {
            if (data.Read(request, new DashboardText(DashboardPart.Metadata, entry.Kind, name, value)) is { } text)
            {
                shown[name] = text;
            }
        }

        return shown;
    }

    private string? Text(DashboardRequest request, EntryLife life, DashboardPart part, string? text)
        => text is null ? null : data.Read(request, new DashboardText(part, life.Entry.Kind, null, text));
}
