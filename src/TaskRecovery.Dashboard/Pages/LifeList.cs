using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using TaskRecovery.Storage;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>The life of an entry, from the moment it was stored: claims, steps, deaths, recoveries, ends, and what operators did.</summary>
internal static class LifeList
{
    private const int MaxRuns = 500;
    private const int MaxErrorChars = 32 * 1024;

    public static Markup Render(DashboardRequest request, EntryLife life, EntryData data)
        => Html($"<ol class=\"life\">{Each(
            Items(request, life, data).OrderBy(static item => item.At).ThenBy(static item => item.Order), Item)}</ol>");

    private static Markup Item(LifeItem item) => Html($"""
        <li class="{(item.InRun ? "in-run" : "")}{(item.IsMinor ? " minor" : "")}">{Shown.Exact(item.At)}<span
            class="dot tone-{item.Tone}">{Icon.Of(item.Icon)}</span><div><div class="what">{item.What}</div>{item.How}</div></li>

        """);

    private static IEnumerable<LifeItem> Items(DashboardRequest request, EntryLife life, EntryData data)
    {
        var entry = life.Entry;
        yield return new LifeItem(entry.CreatedAt, 0, "stored", "waiting", Html($"Stored in {Ui.Name(entry.Queue)}")) { How = Due(life) };
        if (life.OlderRuns > 0)
        {
            yield return new LifeItem(entry.CreatedAt, 1, "later", "later", Html($"{Shown.Many(life.OlderRuns, "older run")} not shown"));
        }

        var withError = WithError(life.Runs);
        foreach (var run in life.Runs)
        {
            if (run.StartedAt is { } started)
            {
                yield return Claimed(started, run.Node, run.Fence);
            }

            yield return Ended(request, life, run, data, withError.Contains(run.Fence));
            if (run.End == EntryRunEnd.Lost && !run.IsFinal)
            {
                yield return new LifeItem(run.EndedAt, 5, "retry", "lost", Html($"Recovered: back in the queue, first in line"));
            }
        }

        if (life.Claim is { } claim)
        {
            yield return Claimed(claim.ClaimedAt, claim.Node, claim.Fence);
        }

        foreach (var step in life.Steps.TakeLast(EntryData.MaxSteps))
        {
            yield return new LifeItem(step.StoredAt, 2, "step", "completed", Html($"Step {data.StepName(request, life, step.Name)}"))
            {
                InRun = true,
                IsMinor = true,
                How = Html($"<span class=\"how\">stored under fence {step.Fence}, {Shown.Bytes(step.Bytes)}</span>"),
            };
        }

        if (life.Checkpoint is { } checkpoint)
        {
            yield return new LifeItem(checkpoint.StoredAt, 2, "step", "running", Html($"Last checkpoint")) { InRun = true, IsMinor = true };
        }

        if (life.CancelRequestedAt is { } asked)
        {
            yield return new LifeItem(asked, 3, "cancelled", "cancelled", Html($"Asked to stop"));
        }

        foreach (var one in life.Events)
        {
            var (icon, tone) = EventList.Look(one.Kind);
            yield return new LifeItem(one.At, 6, icon, tone, EventList.Sentence(request, one))
            {
                How = Html($"<div class=\"how\">{EventList.By(one)}</div>"),
            };
        }

        foreach (var one in life.Operations)
        {
            yield return InBulk(request, one);
        }

        if (entry.State == EntryState.Waiting && entry.RunAt > life.ReadAt)
        {
            yield return new LifeItem(entry.RunAt.Value, 9, "later", "later", Html($"Due {Shown.Ago(entry.RunAt)}"));
        }
    }

    // An operation stores when it was started, and gets to the entry afterwards.
    private static LifeItem InBulk(DashboardRequest request, EntryOperation one)
    {
        var (icon, tone) = one.Action == BulkAction.Retry ? ("retry", "running") : ("cancelled", "cancelled");
        var verb = (one.Action, one.Result) switch
        {
            (BulkAction.Retry, OperatorResult.Done) => "Retried",
            (BulkAction.Cancel, OperatorResult.Done) => "Cancelled",
            (BulkAction.Undo, OperatorResult.Done) => "Put back as it was",
            _ => "Not changed",
        };
        return new LifeItem(one.StartedAt, 3, icon, tone, Html(
            $"{verb} by <a href=\"{request.Href($"operations/{one.OperationId}")}\">operation {one.OperationId}</a>"))
        {
            How = Html($"<div class=\"how\">{(RetryText.Of(one.Retry) is { } how ? $"{how} · " : "")}started by "
                + $"{Ui.Name(one.Audit.Actor)}{(one.Audit.Tool is null ? "" : $" ({one.Audit.Tool})")}"
                + $"{(one.Audit.Reason is { Length: > 0 } reason ? Html($" · “{reason}”") : default)}</div>"),
        };
    }

    /// <summary>The life with as many runs as a page shows: the newest ones.</summary>
    public static EntryLife Bounded(EntryLife life) => life.Runs.Count <= MaxRuns ? life : life with
    {
        Runs = [.. life.Runs.Skip(life.Runs.Count - MaxRuns)],
        OlderRuns = life.OlderRuns + life.Runs.Count - MaxRuns,
    };

    // The newest runs whose errors fit into a page.
    private static HashSet<long> WithError(IReadOnlyList<EntryRun> runs)
    {
        var shown = new HashSet<long>();
        var left = MaxErrorChars;
        foreach (var run in runs.Reverse())
        {
            left -= run.Error?.Length ?? 0;
            if (left < 0)
            {
                break;
            }

            shown.Add(run.Fence);
        }

        return shown;
    }

    private static Markup Due(EntryLife life)
        => life.Runs.Count == 0 && life.Claim is null && life.Entry.RunAt is { } due && due <= life.ReadAt && due > life.Entry.CreatedAt
        ? Html($"<div class=\"how\">due {Shown.Exact(due)}</div>")
        : default;

    private static LifeItem Claimed(DateTimeOffset at, string? node, long fence)
        => new(at, 1, "running", "running", Html($"Claimed by {Ui.Name(node ?? "a node")} under fence {fence}")) { InRun = true };

    private static LifeItem Ended(DashboardRequest request, EntryLife life, EntryRun run, EntryData data, bool withError)
    {
        var took = run.StartedAt is { } started ? $" after {Shown.Duration(run.EndedAt - started)}" : "";
        var reason = run.Reason is null ? "" : $": {Ui.Words(run.Reason)}";
        var (icon, tone, what) = run.End switch
        {
            EntryRunEnd.Completed => ("completed", "completed", $"Completed{took}"),
            EntryRunEnd.Failed => ("failed", "failed", $"Failed{took}{reason}"),
            EntryRunEnd.Cancelled => ("cancelled", "cancelled", $"Cancelled{took}{reason}"),
            EntryRunEnd.Retried => ("failed", "lost", $"Attempt {run.Attempt} failed{took}"),
            EntryRunEnd.Snoozed => ("later", "later", $"Asked to run later{took}"),
            EntryRunEnd.Released => ("waiting", "waiting", $"Released{took}{reason}"),
            EntryRunEnd.Lost => ("lost", "failed", $"{run.Node ?? "The node"} died{took}"),
            _ => ("cancelled", "cancelled", $"Superseded{took}{reason}"),
        };
        return new LifeItem(run.EndedAt, 4, icon, tone, Ui.Name(what))
        {
            How = Html($"{(run.Error is { Length: > 0 } error
                ? withError ? data.Error(request, life, error) : Html($"<div class=\"how\">its error is not shown here</div>")
                : default)}{(run.BlackBox is { } box ? Box(request, life, box, run, data) : default)}"),
        };
    }

    private static Markup Box(DashboardRequest request, EntryLife life, BlackBox box, EntryRun run, EntryData data)
    {
        return Html($"""
            <dl class="box">
            {Ui.Fact("Proof", Html($"{Shown.Proof(box.Proof)}{(box.DeclaredBy is null ? "" : ", seen by ")}{Ui.Name(box.DeclaredBy)}"))}
            {Ui.Fact("In step", box.Step is { } step ? data.StepName(request, life, step) : default)}
            {Ui.Fact("Work at risk", box.ProgressAge is { } age ? Html($"{Shown.Duration(age)} since the last stored step") : default)}
            {Ui.Fact("Crash", Html($"number {run.Crashes}"))}
            {(box.Vitals is { } vitals ? Vitals(vitals) : default)}
            {Ui.Fact("Ran beside", box.RanBeside.Count == 0 ? default : Each(
                box.RanBeside.Take(8), id => Html($"<a class=\"id\" href=\"{request.Href($"entries/{id}")}\">{id}</a> ")))}
            </dl>
            """);
    }

    private static Markup Vitals(NodeVitals vitals) => Html($"""
        {Ui.Fact("Memory", Html($"{Shown.Bytes(vitals.WorkingSetBytes)} of {Shown.Bytes(vitals.MemoryLimitBytes)}"))}
        {Ui.Fact("Processor", Html($"{vitals.CpuPercent:0} %, {vitals.GcPausePercent:0.#} % in GC pauses"))}
        {Ui.Fact("Waiting for a thread", Html($"{Shown.Number(vitals.ThreadPoolQueue)}"))}
        """);

    private sealed record LifeItem(DateTimeOffset At, int Order, string Icon, string Tone, Markup What)
    {
        public Markup How { get; init; }

        public bool InRun { get; init; }

        public bool IsMinor { get; init; }
    }
}
