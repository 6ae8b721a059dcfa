using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Charts;

/// <summary>The life of an entry as one bar: pale while it waited, colored while it ran.</summary>
internal static class LifeChart
{
    private const double Width = 1000;
    private const double MinWidth = 10;

    public static Markup Render(EntryLife life)
    {
        var parts = Parts(life).ToList();
        if (!parts.Any(static part => part.Style != "waiting"))
        {
            return default;
        }

        // A run of milliseconds in a life of hours would be invisible, so that every part has a least width.
        var total = parts.Sum(static part => part.Length.TotalMilliseconds);
        var widths = parts.Select(part => Math.Max(MinWidth, total == 0 ? 0 : Width * part.Length.TotalMilliseconds / total)).ToList();
        var scale = Width / widths.Sum();
        var left = 0.0;
        return Html($"""
            <figure class="gantt-figure">
            <svg class="gantt" viewBox="0 0 {(int)Width} 10" preserveAspectRatio="none" role="img" aria-label="{Sentence(parts)}">
            {Each(parts.Zip(widths), pair =>
            {
                var at = left;
                left += pair.Second * scale;
                var width = Math.Max(1, (pair.Second * scale) - 2);
                return Html($"<rect class=\"fill-{pair.First.Style}\" x=\"{at:0.##}\" y=\"0\" width=\"{width:0.##}\" height=\"10\">"
                    + $"<title>{pair.First.What}: {Shown.Duration(pair.First.Length)}</title></rect>");
            })}
            </svg>
            <figcaption class="muted">{Shown.Clock(life.Entry.CreatedAt)}<span>{Shown.Duration(Waited(parts))} waiting,
                {Shown.Duration(Ran(parts))} running</span>{(
                    life.Entry.EndedAt is { } end ? Shown.Clock(end) : Html($"<span>now</span>"))}</figcaption>
            </figure>
            """);
    }

    private static string Sentence(List<Part> parts) => $"Waited {Shown.Duration(Waited(parts))} and ran {Shown.Duration(Ran(parts))}: "
        + string.Join(", ", parts.Select(static part => $"{part.What} {Shown.Duration(part.Length)}"));

    private static TimeSpan Waited(IEnumerable<Part> parts) => Sum(parts.Where(static part => part.Style == "waiting"));

    private static TimeSpan Ran(IEnumerable<Part> parts) => Sum(parts.Where(static part => part.Style != "waiting"));

    private static TimeSpan Sum(IEnumerable<Part> parts) => parts.Aggregate(TimeSpan.Zero, static (sum, part) => sum + part.Length);

    private static IEnumerable<Part> Parts(EntryLife life)
    {
        var at = life.Entry.CreatedAt;
        foreach (var run in life.Runs.Where(static run => run.StartedAt is not null).OrderBy(static run => run.StartedAt))
        {
            var started = run.StartedAt!.Value;
            if (started > at)
            {
                yield return new Part("waiting", "waited", started - at);
            }

            yield return new Part(Style(run.End), What(run.End), run.EndedAt - started);
            at = run.EndedAt;
        }

        if (life.Claim is { } claim)
        {
            if (claim.ClaimedAt > at)
            {
                yield return new Part("waiting", "waited", claim.ClaimedAt - at);
            }

            yield return new Part("running", "running", Max(life.ReadAt - claim.ClaimedAt));
        }
        else if (life.Entry.EndedAt is null)
        {
            yield return new Part("waiting", "waiting", Max(life.ReadAt - at));
        }
    }

    private static TimeSpan Max(TimeSpan span) => span < TimeSpan.Zero ? TimeSpan.Zero : span;

    private static string Style(EntryRunEnd end) => end switch
    {
        EntryRunEnd.Completed => "completed",
        EntryRunEnd.Failed or EntryRunEnd.Retried => "failed",
        EntryRunEnd.Lost => "lost",
        _ => "cancelled",
    };

    private static string What(EntryRunEnd end) => end switch
    {
        EntryRunEnd.Completed => "completed",
        EntryRunEnd.Failed => "failed",
        EntryRunEnd.Retried => "failed, retried",
        EntryRunEnd.Lost => "lost with its node",
        EntryRunEnd.Released => "released",
        EntryRunEnd.Snoozed => "ran, then later",
        _ => "cancelled",
    };

    private sealed record Part(string Style, string What, TimeSpan Length);
}
