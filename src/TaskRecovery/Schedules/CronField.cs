namespace TaskRecovery.Schedules;

/// <summary>One field of a cron expression: its range, its named values and its allowed syntax.</summary>
/// <param name="Name">The name of the field in error messages.</param>
/// <param name="Least">The minimum value.</param>
/// <param name="Most">The maximum value. For the day of the week it is 7, because both 0 and 7 mean Sunday.</param>
/// <param name="Names">The names of consecutive values, starting at <paramref name="FirstNamed"/>.</param>
/// <param name="FirstNamed">The value of the first name in <paramref name="Names"/>.</param>
internal sealed record CronField(string Name, int Least, int Most, string[] Names, int FirstNamed)
{
    private static readonly string[] Months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    private static readonly string[] Days = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

    internal static readonly CronField Second = new("second", 0, 59, [], 0);
    internal static readonly CronField Minute = new("minute", 0, 59, [], 0);
    internal static readonly CronField Hour = new("hour", 0, 23, [], 0);
    internal static readonly CronField DayOfMonth = new("day of month", 1, 31, [], 0);
    internal static readonly CronField Month = new("month", 1, 12, Months, 1);
    internal static readonly CronField DayOfWeek = new("day of week", 0, 7, Days, 0);

    /// <summary>The fields of an expression with seconds. An expression without seconds starts at <see cref="Minute"/>.</summary>
    internal static readonly IReadOnlyList<CronField> All = [Second, Minute, Hour, DayOfMonth, Month, DayOfWeek];

    /// <summary>The allowed values of the field, for error messages.</summary>
    public string Allowed
    {
        get
        {
            var names = Names.Length > 0 ? $" or {Names[0]} to {Names[^1]}" : "";
            var special = this == DayOfMonth ? ", L, L-n, nW, LW, ?" : this == DayOfWeek ? ", nL (the last n), n#1 to n#5, ?" : "";
            return $"{Least} to {Most}{names}, lists (a,b), ranges (a-b), steps (*/n, a-b/n), *, H, H(a-b){special}";
        }
    }

    /// <summary>The maximum value when Sunday is counted only once, as 0.</summary>
    public int LastDistinct => this == DayOfWeek ? 6 : Most;
}
