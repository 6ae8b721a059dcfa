using System.Globalization;
using System.Text;

namespace TaskRecovery.Schedules;

/// <summary>Validates one field of a cron expression and rewrites it in the syntax that Cronos supports.</summary>
/// <param name="expression">The whole expression, for error messages.</param>
/// <param name="text">The text of the field.</param>
/// <param name="position">The position of the field in the expression, starting at 1.</param>
/// <param name="field">The definition of the field.</param>
/// <param name="jobName">The job name, from whose hash <c>H</c> gets its value.</param>
internal sealed class CronFieldReader(string expression, string text, int position, CronField field, string jobName)
{
    private int _at;

    /// <summary>Returns the field in the syntax that Cronos supports.</summary>
    public string Rewrite()
    {
        if (text is "*" or "?")
        {
            if (text == "?" && field != CronField.DayOfMonth && field != CronField.DayOfWeek)
            {
                throw Wrong("'?'");
            }

            return "*";
        }

        var items = new List<string>();
        var isList = text.Contains(',', StringComparison.Ordinal);
        do
        {
            items.Add(Item(isList));
        }
        while (Take(','));

        if (_at < text.Length)
        {
            throw Wrong($"'{text[_at]}'");
        }

        return string.Join(',', items);
    }

    private string Item(bool isList)
    {
        if (Take('*'))
        {
            var step = Step();
            return isList ? $"{field.Least}-{field.LastDistinct}{step ?? "/1"}" : "*" + step;
        }

        if (TakeWord("H"))
        {
            return Hashed();
        }

        if (field == CronField.DayOfMonth && TakeWord("L"))
        {
            return LastDay(isList);
        }

        var start = _at;
        var first = Value();
        if (Take('-'))
        {
            var last = Value();

            // The Sunday of 7-7 is a single day, and 0-7 would be the whole week.
            last = IsLateSunday(first) && IsLateSunday(last) ? 0 : last;
            return string.Create(CultureInfo.InvariantCulture, $"{Begin(first)}-{last}{Step()}");
        }

        if (Step() is { } steps)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{Begin(first)}-{field.LastDistinct}{steps}");
        }

        return Special(isList, start, first);
    }

    // Cronos counts the steps of a range from the day after it if it begins with 7, and would not run on Sunday.
    private int Begin(int first) => IsLateSunday(first) ? 0 : first;

    private bool IsLateSunday(int value) => field == CronField.DayOfWeek && value == 7;

    // The suffixes in nW, nL and n#k.
    private string Special(bool isList, int start, int value)
    {
        if (field == CronField.DayOfMonth && Take('W'))
        {
            Alone(isList, start);
            return string.Create(CultureInfo.InvariantCulture, $"{value}W");
        }

        if (field == CronField.DayOfWeek && Take('L'))
        {
            Alone(isList, start);
            return string.Create(CultureInfo.InvariantCulture, $"{value}L");
        }

        if (field == CronField.DayOfWeek && Take('#'))
        {
            Alone(isList, start);
            var which = Number(1, 5, "a number from 1 to 5 after '#'");
            return string.Create(CultureInfo.InvariantCulture, $"{value}#{which}");
        }

        return value.ToString(CultureInfo.InvariantCulture);
    }

    // L, L-n, LW and L-nW.
    private string LastDay(bool isList)
    {
        Alone(isList, _at - 1);
        var result = new StringBuilder("L");
        if (Take('-'))
        {
            result.Append('-').Append(Number(0, 30, "a number of days from 0 to 30 after 'L-'"));
        }

        return Take('W') ? result.Append('W').ToString() : result.ToString();
    }

    // H is a value in the whole range, and H(a-b) a value in that range. With a step, H is the first value of the series.
    private string Hashed()
    {
        // Use only days that every month has. Otherwise the job would skip some months.
        var (least, most) = (field.Least, field == CronField.DayOfMonth ? 28 : field.LastDistinct);
        if (Take('('))
        {
            least = Value();
            if (!Take('-'))
            {
                throw Wrong("a range such as H(0-29) was begun, and what follows");
            }

            most = Value();
            if (least > most)
            {
                throw Wrong($"the range of H begins at {least} and ends at {most}, which");
            }

            if (!Take(')'))
            {
                throw Wrong("a ')' is missing, and what follows");
            }
        }

        if (Step() is not { } step)
        {
            return (least + (int)(Hash() % (uint)(most - least + 1))).ToString(CultureInfo.InvariantCulture);
        }

        var every = int.Parse(step.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture);
        var first = least + (int)(Hash() % (uint)Math.Min(every, most - least + 1));
        return string.Create(CultureInfo.InvariantCulture, $"{first}-{most}{step}");
    }

    private string? Step()
    {
        if (!Take('/'))
        {
            return null;
        }

        return string.Create(CultureInfo.InvariantCulture, $"/{Number(1, field.Most, $"a step from 1 to {field.Most} after '/'")}");
    }

    private int Value()
    {
        for (var i = 0; i < field.Names.Length; i++)
        {
            if (TakeWord(field.Names[i]))
            {
                return field.FirstNamed + i;
            }
        }

        return Number(field.Least, field.Most, null);
    }

    private int Number(int least, int most, string? wanted)
    {
        var start = _at;
        while (_at < text.Length && char.IsAsciiDigit(text[_at]))
        {
            _at++;
        }

        if (_at > start && _at - start <= 4)
        {
            var value = int.Parse(text.AsSpan(start, _at - start), NumberStyles.None, CultureInfo.InvariantCulture);
            if (value >= least && value <= most)
            {
                return value;
            }
        }

        var found = _at > start ? $"'{text[start.._at]}'" : start < text.Length ? $"'{text[start]}'" : "its end";
        _at = start;
        throw Wrong(wanted is null ? found : $"{wanted} is wanted; {found}");
    }

    private bool Take(char wanted)
    {
        if (_at < text.Length && char.ToUpperInvariant(text[_at]) == wanted)
        {
            _at++;
            return true;
        }

        return false;
    }

    private bool TakeWord(string word)
    {
        var end = _at + word.Length;
        if (end > text.Length || !text.AsSpan(_at, word.Length).Equals(word, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        _at = end;
        return true;
    }

    private void Alone(bool isList, int start)
    {
        if (isList)
        {
            throw CronText.Unreadable(
                expression,
                $"in the field {field.Name}, '{text[start..]}' stands in a list; L, W and # stand alone. Declare a job of its own for it");
        }
    }

    private ArgumentException Wrong(string what)
        => CronText.Unreadable(expression, $"in the field {field.Name} ('{text}'), {what} at character {position + _at} is not allowed; "
            + $"allowed are {field.Allowed}");

    // FNV-1a, because string.GetHashCode differs between processes. The value must be the same on every machine and in every version.
    private uint Hash()
    {
        var hash = 2166136261u;
        foreach (var value in Encoding.UTF8.GetBytes(field.Name + "\n" + jobName))
        {
            hash = (hash ^ value) * 16777619u;
        }

        // Mix the bits. Otherwise names that differ only in the last character would get adjacent values.
        hash ^= hash >> 16;
        hash *= 0x85ebca6bu;
        return hash ^ (hash >> 13);
    }
}
