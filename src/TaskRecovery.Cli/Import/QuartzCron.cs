using System.Globalization;
using System.Text.RegularExpressions;

namespace TaskRecovery.Cli.Import;

/// <summary>Translates a cron expression of Quartz: its weeks begin with Sunday as 1, and it may have a field for years.</summary>
internal static partial class QuartzCron
{
    private const int DayOfMonth = 3;
    private const int DayOfWeek = 5;

    private static readonly string[] Fields = ["second", "minute", "hour", "day of month", "month", "day of week", "year"];

    /// <summary>Returns the expression with six fields. What is wrong with the rest of it, <see cref="Schedule.Cron"/> says.</summary>
    /// <exception cref="ImportRefusedException">It can't be expressed here. The message names the field and the character.</exception>
    public static string Translate(string expression)
    {
        var fields = Part().Matches(expression).Select(static part => (Text: part.Value, part.Index)).ToList();
        if (fields.Count is not (6 or 7))
        {
            throw new ImportRefusedException($"the cron expression '{expression}' has {fields.Count} fields, and Quartz has 6 or 7");
        }

        if (fields.Count == 7 && fields[6].Text is not ("*" or "?"))
        {
            throw Wrong(expression, fields[6], 6, 0, "schedules have no years here. Declare the job with StartAt and EndAt");
        }

        for (var i = 0; i < 6; i++)
        {
            if (Hash().Match(fields[i].Text) is { Success: true, Index: var at })
            {
                throw Wrong(expression, fields[i], i, at, "Quartz derives it from the trigger. Write the value");
            }
        }

        return string.Join(' ', fields.Take(6).Select((field, i) => i switch
        {
            DayOfMonth when field.Text == "?" => "*",
            DayOfWeek => Days(expression, field),
            _ => field.Text,
        }));
    }

    private static string Days(string expression, (string Text, int Index) field)
    {
        if (field.Text is "?" or "*")
        {
            return "*";
        }

        var (items, at) = (new List<string>(), 0);
        foreach (var text in field.Text.Split(','))
        {
            // An item that is of another form is refused as it is.
            items.Add(Item().Match(text) is { Success: true } item ? Translated(expression, field, at, item) : text);
            at += text.Length + 1;
        }

        return string.Join(',', items);
    }

    private static string Translated(string expression, (string Text, int Index) field, int at, Match item)
    {
        if (item.Groups["last"].Success)
        {
            // Alone, L is the last day of the week.
            return "6";
        }

        var first = Day(item.Groups["first"]);
        var last = item.Groups["to"].Success ? Day(item.Groups["to"]) : item.Groups["step"].Success ? "6" : null;
        return $"{first}{(last is null ? "" : $"-{last}")}{item.Groups["step"].Value}{item.Groups["suffix"].Value}";

        string Day(Group day)
        {
            if (!char.IsAsciiDigit(day.Value[0]))
            {
                return day.Value;
            }

            return int.TryParse(day.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= 7
                ? (number - 1).ToString(CultureInfo.InvariantCulture)
                : throw Wrong(expression, field, DayOfWeek, at + day.Index, "days are 1 (Sunday) to 7 in Quartz");
        }
    }

    private static ImportRefusedException Wrong(string expression, (string Text, int Index) field, int which, int at, string why)
        => new($"the cron expression '{expression}' can't be used: in the field {Fields[which]} ('{field.Text}'), '{field.Text[at]}' at "
            + $"character {field.Index + at + 1} is not allowed: {why}");

    [GeneratedRegex(@"\S+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Part();

    [GeneratedRegex(@"(?<![A-Z])H(?![A-Z])", RegexOptions.IgnoreCase, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Hash();

    [GeneratedRegex(
        @"^((?<last>L)|(?<first>\d+|[A-Z]{3})(-(?<to>\d+|[A-Z]{3}))?(?<step>/\d+)?(?<suffix>L|\#\d)?)$",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Item();
}
