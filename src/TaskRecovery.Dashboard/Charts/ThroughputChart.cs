using System.Globalization;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Charts;

/// <summary>What ended in each interval, as stacked bars, with a line for what was stored.</summary>
/// <remarks>The drawing is stretched to the width of its place; the labels are text beside it, so that they keep their size.</remarks>
internal static class ThroughputChart
{
    private const double Height = 100;
    private const double Step = 10;

    private static readonly (string Style, string Name, Func<EntryTotals, long> Value)[] Parts =
    [
        ("completed", "completed", static totals => totals.Completed),
        ("cancelled", "cancelled", static totals => totals.Cancelled),
        ("lost", "lost with their node", static totals => totals.Lost),
        ("failed", "failed", static totals => totals.Failed),
    ];

    private static readonly TimeSpan[] Steps =
    [
        TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(30), TimeSpan.FromHours(1),
        TimeSpan.FromHours(3), TimeSpan.FromHours(6), TimeSpan.FromDays(1), TimeSpan.FromDays(7),
        TimeSpan.FromDays(14),
    ];

    public static Markup Render(IReadOnlyList<ThroughputPoint> points, TimeSpan bucket, string range)
    {
        var top = NiceTop(points.Count == 0 ? 0 : points.Max(
            static point => Math.Max(Parts.Sum(part => part.Value(point.Totals)), point.Totals.Enqueued)));
        var total = points.Aggregate(new EntryTotals(), static (sum, point) => sum.Add(point.Totals));
        var style = Style(bucket);
        var ticks = Ticks(points, bucket).ToList();
        return Html($"""
            <figure>
            <div class="chart" id="throughput">
            <div class="scale" aria-hidden="true"><span>{Shown.Short(top)}</span><span>{Shown.Short(top / 2)}</span><span>0</span></div>
            <svg viewBox="0 0 {Math.Max(1, points.Count) * (int)Step} {(int)Height}" preserveAspectRatio="none" role="img"
                aria-label="{Sentence(total, bucket, range)}">
            <path class="grid-line" d="M0 0H{points.Count * (int)Step}M0 50H{points.Count * (int)Step}M0 100H{points.Count * (int)Step}"/>
            {Each(points.Select(static (point, index) => (point, index)), item => Bar(item.point, item.index, top, style))}
            <polyline class="line-enqueued" points="{Line(points, top)}"/>
            </svg>
            <svg class="axis" aria-hidden="true">{Each(ticks, tick => Html(
                $"<text x=\"{tick.Percent:0.##}%\" y=\"12\" data-t=\"{tick.Style}\" data-at=\"{Shown.Iso(tick.At)}\">"
                + $"{tick.At.UtcDateTime.ToString(Format(tick.Style, isShort: true), CultureInfo.InvariantCulture)}</text>"))}</svg>
            </div>
            <figcaption>
            <p class="key">{Each(Parts.Where(part => part.Value(total) > 0 || part.Style is "completed" or "failed"), part =>
                Html($"<span><svg viewBox=\"0 0 10 10\" aria-hidden=\"true\">"
                    + $"<rect class=\"fill-{part.Style}\" width=\"10\" height=\"10\" rx=\"2\"/>"
                    + $"</svg>{part.Name}</span>"))}
            <span><svg viewBox="0 0 10 10" aria-hidden="true"><path class="line-enqueued" d="M0 5h10"/></svg>stored</span>
            {When(style == "day" || ticks.Exists(static tick => tick.Style == "day"), Html($"<span>days in UTC</span>"))}</p>
            </figcaption>
            </figure>
            """);
    }

    /// <summary>The numbers of the chart as a table, for those who can't see it.</summary>
    public static Markup Table(IReadOnlyList<ThroughputPoint> points, TimeSpan bucket)
    {
        var style = Style(bucket);
        var used = points.Where(static point => point.Totals is { Ended: > 0 } or { Enqueued: > 0 } or { Lost: > 0 }).Reverse().ToList();
        return Html($"""
            <details><summary>Numbers of the chart</summary>
            <table><caption class="hidden">Entries in each interval of {Shown.Duration(bucket)}, newest first</caption>
            <thead><tr><th scope="col">{(style == "day" ? "Day in UTC" : "From")}</th>
                <th scope="col" class="number">Stored</th><th scope="col" class="number">Completed</th>
                <th scope="col" class="number">Failed</th><th scope="col" class="number">Cancelled</th>
                <th scope="col" class="number">Lost</th></tr></thead>
            <tbody>{Each(used, point => Html(
                $"<tr><th scope=\"row\">{Label(point.At, style)}</th><td class=\"number\">{Shown.Number(point.Totals.Enqueued)}</td>"
                + $"<td class=\"number\">{Shown.Number(point.Totals.Completed)}</td>"
                + $"<td class=\"number\">{Shown.Number(point.Totals.Failed)}</td>"
                + $"<td class=\"number\">{Shown.Number(point.Totals.Cancelled)}</td>"
                + $"<td class=\"number\">{Shown.Number(point.Totals.Lost)}</td></tr>"))}</tbody></table>
            </details>
            """);
    }

    public static string Sentence(EntryTotals total, TimeSpan bucket, string range)
        => $"In the last {range}: {Shown.Number(total.Enqueued)} stored, {Shown.Number(total.Completed)} "
            + $"completed, {Shown.Number(total.Failed)} failed, "
            + $"{Shown.Number(total.Cancelled)} cancelled, {Shown.Number(total.Lost)} lost with their node; "
            + $"one bar for each {Shown.Duration(bucket)}.";

    /// <summary>The next of 2, 4, 6, 8, 10, 20, 40 ... that is not below the largest value, so that the half of it is a good label
    /// too.</summary>
    internal static long NiceTop(long largest)
    {
        for (long unit = 1; ; unit *= 10)
        {
            foreach (var factor in (ReadOnlySpan<long>)[2, 4, 6, 8, 10])
            {
                if (factor * unit >= largest)
                {
                    return factor * unit;
                }
            }
        }
    }

    private static Markup Bar(ThroughputPoint point, int index, long top, string style)
    {
        if (point.Totals.Ended + point.Totals.Lost == 0)
        {
            return default;
        }

        var below = 0L;
        var bars = Each(Parts, part =>
        {
            var value = part.Value(point.Totals);
            if (value == 0)
            {
                return default;
            }

            below += value;
            return Html($"<rect class=\"fill-{part.Style}\" x=\"{(index * Step) + 1.25:0.##}\" y=\"{Y(below, top):0.##}\" width=\"7.5\" "
                + $"height=\"{Y(0, top) - Y(value, top):0.##}\"/>");
        });
        return Html($"<g><title>{Moment(point.At, style)}: {Words(point.Totals)}</title>{bars}</g>\n");
    }

    private static string Words(EntryTotals totals)
        => string.Join(", ", Parts.Where(part => part.Value(totals) > 0).Select(part => $"{Shown.Number(part.Value(totals))} {part.Name}"));

    private static string Line(IReadOnlyList<ThroughputPoint> points, long top) => string.Join(' ', points.Select((point, index) =>
        string.Create(CultureInfo.InvariantCulture, $"{(index * Step) + (Step / 2):0.#},{Y(point.Totals.Enqueued, top):0.##}")));

    private static double Y(long value, long top) => Height - (Height * value / top);

    /// <summary>At most eight round moments within the range, with their places in per cent of its width.</summary>
    private static IEnumerable<(DateTimeOffset At, double Percent, string Style)> Ticks(
        IReadOnlyList<ThroughputPoint> points, TimeSpan bucket)
    {
        const int Most = 8;
        if (points.Count == 0)
        {
            yield break;
        }

        var from = points[0].At.UtcDateTime;
        var length = points.Count * bucket;
        var step = Steps.FirstOrDefault(one => length / one <= Most, Steps[^1]);
        for (var at = new DateTime(((from.Ticks / step.Ticks) + 1) * step.Ticks, DateTimeKind.Utc); at < from + length; at += step)
        {
            var percent = 100 * ((at - from) / length);
            if (percent is > 3 and < 97)
            {
                yield return (new DateTimeOffset(at), percent, step < TimeSpan.FromDays(1) ? "minute" : "day");
            }
        }
    }

    private static Markup Label(DateTimeOffset at, string style) => Shown.Time(at, style, Format(style));

    private static string Moment(DateTimeOffset at, string style)
        => at.UtcDateTime.ToString(Format(style) + "' UTC'", CultureInfo.InvariantCulture);

    // The counts of a day are added up from midnight in UTC, so its label is that day for every viewer: a local day has other hours.
    private static string Style(TimeSpan bucket)
        => bucket < TimeSpan.FromHours(1) ? "minute" : bucket < TimeSpan.FromDays(1) ? "hour" : "day";

    // The axis has no room for the year, which the table has.
    private static string Format(string style, bool isShort = false)
        => style switch { "minute" => "HH:mm", "hour" => "yyyy-MM-dd HH:mm", _ => isShort ? "MMM d" : "yyyy-MM-dd" };
}
