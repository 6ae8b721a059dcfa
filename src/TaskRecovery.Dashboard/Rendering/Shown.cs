using System.Globalization;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Rendering;

/// <summary>How numbers, sizes, durations and times are written.</summary>
internal static class Shown
{
    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    public static string Number(long value) => value.ToString("N0", Invariant);

    public static string Number(Count count) => count.Precision switch
    {
        CountPrecision.AtLeast => $"{Number(count.Value)}+",
        CountPrecision.About when count.Value >= 1_000_000 => $"≈ {(count.Value / 1e6).ToString("0.0", Invariant)} million",
        CountPrecision.About => $"≈ {Number(count.Value)}",
        _ => Number(count.Value),
    };

    /// <summary>A number that has to fit into the navigation or an axis.</summary>
    public static string Short(long value) => value switch
    {
        >= 999_500_000 => (value / 1e9).ToString("0.#", Invariant) + "G",
        >= 999_500 => (value / 1e6).ToString("0.#", Invariant) + "M",
        >= 10_000 => (value / 1e3).ToString("0.#", Invariant) + "k",
        _ => value.ToString(Invariant),
    };

    /// <summary>As the other one, for a count.</summary>
    public static string Short(Count count) => Short(count.Value) + (count.Precision == CountPrecision.AtLeast ? "+" : "");

    public static string Many(long count, string one, string? many = null) => $"{Number(count)} {(count == 1 ? one : many ?? one + "s")}";

    public static string Bytes(long bytes) => bytes switch
    {
        < 1_024 => $"{bytes} B",
        < 1_024 * 1_024 => (bytes / 1_024.0).ToString("0.#", Invariant) + " KiB",
        < 1_024L * 1_024 * 1_024 => (bytes / (1_024.0 * 1_024)).ToString("0.#", Invariant) + " MiB",
        _ => (bytes / (1_024.0 * 1_024 * 1_024)).ToString("0.#", Invariant) + " GiB",
    };

    /// <summary>How the death of a node was established.</summary>
    public static string Proof(DeathProof? proof) => proof switch
    {
        DeathProof.LeaseExpired => "no heartbeat for a whole lease",
        DeathProof.LockFree => "its lock was free and its heartbeats had stopped",
        DeathProof.ProcessGone => "its process no longer existed",
        DeathProof.Left => "it left by itself",
        _ => "not known",
    };

    /// <summary>A duration with two units at most.</summary>
    public static string Duration(TimeSpan duration)
    {
        var span = duration.Duration();
        return span.TotalSeconds switch
        {
            < 0.001 => "0 ms",
            < 1 => string.Create(Invariant, $"{span.TotalMilliseconds:0} ms"),
            < 10 => string.Create(Invariant, $"{span.TotalSeconds:0.0} s"),
            < 60 => string.Create(Invariant, $"{Math.Floor(span.TotalSeconds):0} s"),
            < 3_600 => Two(span.Minutes, "min", span.Seconds, "s"),
            < 86_400 => Two(span.Hours, "h", span.Minutes, "min"),
            _ => Two(span.Days, "d", span.Hours, "h"),
        };
    }

    public static Markup Ago(DateTimeOffset? at) => Time(at, "ago", "yyyy-MM-dd HH:mm:ss' UTC'");

    /// <summary>How long ago, for what is still happening.</summary>
    public static Markup Since(DateTimeOffset? at) => Time(at, "since", "'since 'yyyy-MM-dd HH:mm:ss' UTC'");

    public static Markup Clock(DateTimeOffset? at) => Time(at, "clock", "yyyy-MM-dd HH:mm:ss");

    public static Markup Exact(DateTimeOffset? at) => Time(at, "exact", "yyyy-MM-dd HH:mm:ss.fff");

    public static Markup Time(DateTimeOffset? at, string style, string format) => at is { } time
        ? Html($"<time datetime=\"{Iso(time)}\" data-t=\"{style}\">{time.UtcDateTime.ToString(format, Invariant)}</time>")
        : default;

    public static string Iso(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", Invariant);

    private static string Two(int first, string firstUnit, int second, string secondUnit)
        => second == 0 ? $"{first} {firstUnit}" : $"{first} {firstUnit} {second} {secondUnit}";
}
