using System.Globalization;

namespace TaskRecovery.Tests.Schedules;

/// <summary>Cron, slow and obvious: looks at every minute of a stretch of time. Knows numbers, lists, ranges and steps.</summary>
internal sealed class SlowCron
{
    private readonly HashSet<int>[] _fields;
    private readonly bool _isInterval;

    public SlowCron(string expression)
    {
        var parts = expression.Split(' ');
        (int Least, int Most)[] ranges = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)];
        _fields = [.. parts.Select((part, i) => Values(part, ranges[i].Least, ranges[i].Most))];
        _isInterval = parts[..2].Any(part => part.AsSpan().IndexOfAny("*-/") >= 0);
    }

    /// <summary>Every run after one time and up to another.</summary>
    public List<DateTimeOffset> Runs(DateTimeOffset after, DateTimeOffset until, TimeZoneInfo zone)
    {
        var runs = new SortedSet<DateTimeOffset>();
        var seen = new HashSet<DateTime>();

        // From before the stretch, so that a local time that comes twice is known as the second one.
        for (var utc = after.AddHours(-4); utc <= until; utc = utc.AddMinutes(1))
        {
            var local = TimeZoneInfo.ConvertTime(utc, zone).DateTime;
            var isFirst = seen.Add(local);
            if (utc > after && Matches(local) && (_isInterval || isFirst))
            {
                runs.Add(utc);
            }

            // Clocks that jump: what they skip runs once, at the end of the gap.
            var gap = TimeZoneInfo.ConvertTime(utc.AddMinutes(-1), zone).DateTime.AddMinutes(1);
            if (utc > after && Minutes(gap, local).Any(Matches) && !IsBridged(gap, local))
            {
                runs.Add(utc);
            }
        }

        return [.. runs];
    }

    // Without a run at the end of the gap, there is one at most an hour after the last one.
    private bool IsBridged(DateTime gap, DateTime end)
        => Enumerable.Range(1, 60).Any(minutes => Matches(gap.AddMinutes(-minutes))
            && Minutes(end, end.AddMinutes(61 - minutes)).Any(Matches));

    private static IEnumerable<DateTime> Minutes(DateTime from, DateTime to)
    {
        for (var minute = from; minute < to; minute = minute.AddMinutes(1))
        {
            yield return minute;
        }
    }

    private bool Matches(DateTime local)
        => _fields[0].Contains(local.Minute) && _fields[1].Contains(local.Hour) && _fields[2].Contains(local.Day)
            && _fields[3].Contains(local.Month) && _fields[4].Contains((int)local.DayOfWeek);

    private static HashSet<int> Values(string field, int least, int most)
    {
        var values = new HashSet<int>();
        foreach (var item in field.Split(','))
        {
            var (range, step) = item.Split('/') is [var left, var right]
                ? (left, int.Parse(right, CultureInfo.InvariantCulture))
                : (item, 1);
            var bounds = range == "*" ? [least, most]
                : range.Split('-').Select(text => int.Parse(text, CultureInfo.InvariantCulture)).ToArray();
            for (var value = bounds[0]; value <= bounds[^1]; value += step)
            {
                values.Add(value);
            }
        }

        return values;
    }
}
