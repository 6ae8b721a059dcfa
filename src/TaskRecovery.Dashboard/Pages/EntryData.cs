using Microsoft.Extensions.Logging;
using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>The parts of an entry's page that are the application's data.</summary>
internal sealed class EntryData(Reads reads, DataView data)
{
    /// <summary>The most steps that a page shows: the newest ones.</summary>
    public const int MaxSteps = 500;

    private const string NotStored = "erased";

    private static readonly Column[] StepColumns =
        [new("Step", "name-cell"), new("Stored"), Column.Number("Fence"), Column.Number("Size")];

    public Markup Key(DashboardRequest request, EntryLife life) => life.Entry.UniqueKey is { } key
        ? Ui.Fact("Unique key", Html($"{data.Plain(request, Text(life, DashboardPart.UniqueKey, key))}{When(
            !life.HoldsUniqueKey, Html($" <span class=\"muted\">released</span>"))}"))
        : default;

    public Markup Metadata(DashboardRequest request, EntryLife life) => life.Entry.Metadata is { Count: > 0 } metadata
        ? Ui.Fact(
            "Metadata",
            request.Access.Data
                ? Html($"<span class=\"tags\">{Each(metadata.OrderBy(static pair => pair.Key, StringComparer.Ordinal), pair => Tag(
                    request, life, pair.Key, pair.Value))}</span>")
                : DataView.Hidden(request))
        : default;

    public Markup Message(DashboardRequest request, EntryLife life) => life.Progress?.Message is { Length: > 0 } message
        ? data.Plain(request, Text(life, DashboardPart.Log, message))
        : default;

    /// <summary>The name of a step, which the handler chose: it may contain data.</summary>
    public Markup StepName(DashboardRequest request, EntryLife life, string name)
        => data.Read(request, Text(life, DashboardPart.StepName, name)) is { } shown ? Ui.Name(shown) : DataView.Hidden(request);

    public Markup Error(DashboardRequest request, EntryLife life, string error)
    {
        if (data.Read(request, Text(life, DashboardPart.Error, error)) is not { } shown)
        {
            return DataView.Hidden(request);
        }

        var end = shown.IndexOf('\n', StringComparison.Ordinal);
        return end < 0
            ? Html($"<div class=\"how\">{shown}</div>")
            : Html($"<details><summary>{shown[..end].TrimEnd()}</summary><pre tabindex=\"0\">{shown}</pre></details>");
    }

    /// <summary>Arguments, result, steps and checkpoint.</summary>
    public async ValueTask<Markup> RenderAsync(DashboardRequest request, EntryLife life)
    {
        var entry = life.Entry;
        var opened = request.Access.Data && request.Number("step") is { } number && number > 0 && number <= life.Steps.Count
            ? life.Steps[(int)number - 1].Name
            : null;
        var result = opened is null ? null : await reads.StepAsync(request, life, opened).ConfigureAwait(false);
        var checkpoint = await CheckpointAsync(request, life).ConfigureAwait(false);
        return Html($"""
            {Ui.Card("Arguments", Ui.Body(entry.Reason == EndReasons.Erased && entry.Args.Length == 0
                ? Html($"<span class=\"muted\">{NotStored}</span>")
                : data.Json(request, Text(life, DashboardPart.Args, entry.Args))), Download(request, entry.Id, "args"))}
            {(entry.Result is { } stored ? Ui.Card("Result", Ui.Body(
                data.Json(request, Text(life, DashboardPart.Result, stored))), Download(request, entry.Id, "result")) : default)}
            {Steps(request, life, opened, result)}
            {checkpoint}
            """);
    }

    public async ValueTask<Markup> LogAsync(DashboardRequest request, EntryLife life)
    {
        if (!reads.Has(MonitorFeatures.RunInfo) || !request.Access.Data)
        {
            return default;
        }

        var lines = await reads.LogAsync(request, life).ConfigureAwait(false);
        return lines.Count == 0 ? default : Ui.Card("Log", Html($"""
            <ol class="log" tabindex="0" aria-label="Log lines, oldest first">{Each(lines, line => Html(
                $"<li class=\"level-{Level(line.Level)}\">{Shown.Exact(line.At)} <span class=\"level\">{Level(line.Level)}</span> "
                + $"<span>{data.Plain(request, Text(life, DashboardPart.Log, line.Message))}</span></li>"))}</ol>
            """), Html($"<span class=\"muted\">{Shown.Many(lines.Count, "line")}</span>"));
    }

    private static string Level(LogLevel level) => level switch
    {
        LogLevel.Critical or LogLevel.Error => "error",
        LogLevel.Warning => "warn",
        LogLevel.Information => "info",
        _ => "debug",
    };

    private Markup Steps(DashboardRequest request, EntryLife life, string? opened, string? result)
    {
        if (life.Steps.Count == 0)
        {
            return default;
        }

        // The address has the number of a step, because a name is data.
        var first = Math.Max(0, life.Steps.Count - MaxSteps);
        return Ui.Card(
            "Steps",
            Html($"""
            {new Table("Finished steps", StepColumns).Render(life.Steps.Skip(first).Select((step, index) => new Row(
                null,
                request.Access.Data
                    ? Html($"<a href=\"{request.Href($"entries/{life.Entry.Id}?step={first + index + 1}#step")}\">"
                        + $"{StepName(request, life, step.Name)}</a>")
                    : StepName(request, life, step.Name),
                Shown.Clock(step.StoredAt),
                Html($"{step.Fence}"),
                Html($"{Shown.Bytes(step.Bytes)}"))))}
            {(opened is null || result is null ? default : Html($"<div class=\"body\" id=\"step\"><h3>{StepName(request, life, opened)}"
                + $"</h3>{data.Json(request, new DashboardText(DashboardPart.Step, life.Entry.Kind, opened, result))}</div>"))}
            """),
            footer: first == 0 ? default : Html($"<span>{Shown.Many(first, "older step")} not shown</span>"));
    }

    private async ValueTask<Markup> CheckpointAsync(DashboardRequest request, EntryLife life)
    {
        if (life.Checkpoint is not { } checkpoint)
        {
            return default;
        }

        var text = request.Access.Data ? await reads.CheckpointAsync(request, life).ConfigureAwait(false) : null;
        return Ui.Card(
            "Checkpoint",
            Ui.Body(text is null ? DataView.Hidden(request) : data.Json(request, Text(life, DashboardPart.Checkpoint, text))),
            Html($"<span class=\"muted\">{Shown.Bytes(checkpoint.Bytes)}, {Shown.Ago(checkpoint.StoredAt)}, "
                + $"fence {checkpoint.Fence}</span>"));
    }

    private static Markup Download(DashboardRequest request, long id, string part)
        => When(request.Access.Data, Html($"<a class=\"muted\" href=\"{request.Href($"entries/{id}/{part}")}\" download>Download</a>"));

    private Markup Tag(DashboardRequest request, EntryLife life, string name, string value)
        => Html($"<span class=\"tag\">{Ui.Name(name)} {data.Plain(
            request, new DashboardText(DashboardPart.Metadata, life.Entry.Kind, name, value))}</span>");

    private static DashboardText Text(EntryLife life, DashboardPart part, string text) => new(part, life.Entry.Kind, null, text);
}
