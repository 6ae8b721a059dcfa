using System.Text;

namespace TaskRecovery.Rules;

/// <summary>What a query may contain. A message names the condition, its value and what is allowed.</summary>
internal static class QueryRules
{
    private const int MaxPage = 1_000;
    private const int MostExamined = 1_000_000;
    private const int MaxTextBytes = 1_000;
    private const int MaxNames = 1_000;
    private const int MaxJobs = 1_000;
    private const int MaxLastTasks = 100;
    private const int TraceIdLength = 32;

    /// <summary>Checks a query for entries.</summary>
    public static void Check(EntryQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        CheckPage(query.Limit);
        CheckExamined(query.MaxExamined);
        CheckText(query.Queue, nameof(query.Queue));
        CheckText(query.Kind, nameof(query.Kind));
        CheckText(query.Reason, nameof(query.Reason));
        CheckText(query.Node, nameof(query.Node));
        CheckText(query.UniqueKey, nameof(query.UniqueKey));
        CheckText(query.Text, nameof(query.Text));
        CheckPair(query.Metadata, nameof(query.Metadata));
        if (query.Kind is { } kind && kind[..^1].Contains('*', StringComparison.Ordinal))
        {
            throw Wrong(nameof(query.Kind), kind, "'*' may only be its last character, as in 'mail.*'");
        }

        if (query.TraceId is { } trace && (trace.Length != TraceIdLength || !trace.All(char.IsAsciiHexDigit)))
        {
            throw Wrong(
                nameof(query.TraceId), trace.Length > MaxTextBytes ? trace[..50] + "..." : trace,
                $"use {TraceIdLength} hexadecimal digits");
        }

        foreach (var state in query.States ?? [])
        {
            CheckDefined(state, nameof(query.States));
        }

        CheckRange(query.CreatedFrom, query.CreatedTo, nameof(query.CreatedFrom), nameof(query.CreatedTo));
        CheckRange(query.EndedFrom, query.EndedTo, nameof(query.EndedFrom), nameof(query.EndedTo));
        Check(query.Scope);
    }

    /// <summary>Checks a scope.</summary>
    public static void Check(EntryScope? scope)
    {
        CheckNames(scope?.Queues, "Scope.Queues");
        CheckNames(scope?.Kinds, "Scope.Kinds");
        CheckPair(scope?.Metadata, "Scope.Metadata");
    }

    /// <summary>Checks a query for events.</summary>
    public static void Check(EventQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        CheckPage(query.Limit);
        CheckExamined(query.MaxExamined);
        CheckText(query.Node, nameof(query.Node));
        CheckText(query.Actor, nameof(query.Actor));
        foreach (var kind in query.Kinds ?? [])
        {
            CheckDefined(kind, nameof(query.Kinds));
        }
    }

    /// <summary>Checks a query for tasks.</summary>
    public static void Check(TaskQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        CheckPage(query.Limit);
        CheckExamined(query.MaxExamined);
        if (query.State is { } state)
        {
            CheckDefined(state, nameof(query.State));
        }
    }

    /// <summary>Checks a query for the last tasks of jobs.</summary>
    public static void Check(LastTasksQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        CheckJobs(query.JobIds, nameof(query.JobIds));
        if (query.Limit is < 1 or > MaxLastTasks)
        {
            throw Wrong(nameof(query.Limit), query.Limit.ToString(
                System.Globalization.CultureInfo.InvariantCulture), $"use 1 to {MaxLastTasks:N0}");
        }
    }

    /// <summary>Checks a query for jobs.</summary>
    public static void Check(JobQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        CheckPage(query.Limit);
        CheckExamined(query.MaxExamined);
        CheckText(query.NameContains, nameof(query.NameContains));
    }

    /// <summary>Checks the ids of jobs.</summary>
    public static void Check(IReadOnlyCollection<Guid> jobIds)
    {
        ArgumentNullException.ThrowIfNull(jobIds);
        CheckJobs(jobIds, nameof(jobIds));
    }

    /// <summary>Checks the number of rows of a page.</summary>
    public static void CheckPage(int limit)
    {
        if (limit is < 1 or > MaxPage)
        {
            throw Wrong("Limit", limit.ToString(
                System.Globalization.CultureInfo.InvariantCulture), $"use 1 to {MaxPage:N0}, and the next page for more");
        }
    }

    /// <summary>Checks a value of an enumeration.</summary>
    public static void CheckDefined<T>(T value, string name)
        where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
        {
            throw Wrong(name, value.ToString(), $"use one of {string.Join(", ", Enum.GetNames<T>())}");
        }
    }

    private static void CheckExamined(int maxExamined)
    {
        if (maxExamined is < 1 or > MostExamined)
        {
            throw Wrong(nameof(EntryQuery.MaxExamined), maxExamined.ToString(
                System.Globalization.CultureInfo.InvariantCulture), $"use 1 to {MostExamined:N0}");
        }
    }

    private static void CheckText(string? text, string name)
    {
        if (text is null)
        {
            return;
        }

        if (text.Length == 0)
        {
            throw Wrong(name, text, "leave it null for no condition");
        }

        if (Encoding.UTF8.GetByteCount(text) is > MaxTextBytes and var bytes)
        {
            throw Wrong(name, text[..50] + "...", $"it has {bytes:N0} bytes, use at most {MaxTextBytes:N0}");
        }

        if (text.Contains('\0', StringComparison.Ordinal))
        {
            throw Wrong(name, text, "it has a NUL character, which no stored text has");
        }
    }

    private static void CheckPair(KeyValuePair<string, string>? pair, string name)
    {
        if (pair is not { } some)
        {
            return;
        }

        CheckText(some.Key ?? "", name);
        if (some.Value is null)
        {
            throw Wrong(name, some.Key ?? "", "give a value too");
        }

        CheckText(some.Value.Length == 0 ? null : some.Value, name);
    }

    private static void CheckNames(IReadOnlyCollection<string>? names, string name)
    {
        if (names is { Count: > MaxNames })
        {
            throw Wrong(name, $"{names.Count:N0} names", $"use at most {MaxNames:N0}");
        }

        foreach (var one in names ?? [])
        {
            CheckText(one ?? "", name);
        }
    }

    private static void CheckRange(DateTimeOffset? from, DateTimeOffset? to, string fromName, string toName)
    {
        if (from is { } first && to is { } last && last <= first)
        {
            throw Wrong(toName, $"{last:O}", $"it must be later than {fromName}, which is {first:O}");
        }
    }

    private static ArgumentException Wrong(string name, string value, string rule)
        => new($"{name} is '{EntryText.Shown(value)}': {rule}.", name);

    private static void CheckJobs(IReadOnlyCollection<Guid> jobIds, string name)
    {
        if (jobIds.Count > MaxJobs)
        {
            throw Wrong(name, $"{jobIds.Count:N0} ids", $"use at most {MaxJobs:N0}");
        }
    }
}
