using System.Globalization;
using TaskRecovery.Dashboard.Hosting;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>The filter of the entries page, as it is in the address.</summary>
internal sealed class EntryForm
{
    public const int PageSize = 50;

    private const int MaxCondition = 1_000;

    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);
    private readonly List<string> _problems = [];

    private EntryForm(Func<string, string?> read, bool mayReadData)
    {
        foreach (var name in (ReadOnlySpan<string>)[
            "state", "queue", "kind", "reason", "node", "job", "from", "to", "trace", "key", "meta", "text"])
        {
            if (Usable(name, read(name)) is { } value)
            {
                _values[name] = value;
            }
        }

        NeedsData = _values.ContainsKey("key") || _values.ContainsKey("meta") || _values.ContainsKey("text");
        IsRefused = NeedsData && !mayReadData;
        Before = Whole("before", Usable("before", read("before")));
        Query = Build();
    }

    /// <summary>What is wrong with the filter, in words.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>Whether the filter reads data: a user who may not see data may not search it, because a search reveals it.</summary>
    public bool NeedsData { get; }

    public bool IsRefused { get; }

    /// <summary>Whether the store may have to examine many entries.</summary>
    public bool IsSearch => NeedsData || _values.Keys.Any(static name => name is not ("state" or "queue"));

    public bool HasFilter => _values.Keys.Any(static name => name != "state");

    public long? Before { get; }

    public EntryQuery Query { get; }

    /// <summary>The filter as the query of an address, without the cursor.</summary>
    public string Address => Join(_values);

    public string? this[string name] => _values.GetValueOrDefault(name);

    public static EntryForm Read(DashboardRequest request) => new(name => request.Context.Request.Query[name], request.Access.Data);

    /// <summary>The filter from an address that a form carries.</summary>
    public static EntryForm Parse(string address, bool mayReadData)
    {
        var values = Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(address);
        return new EntryForm(name => values.TryGetValue(name, out var value) ? value.ToString() : null, mayReadData);
    }

    /// <summary>The filter with one part changed or, with <see langword="null"/>, without it.</summary>
    public string With(string name, string? value)
    {
        var changed = new Dictionary<string, string>(_values, StringComparer.Ordinal);
        changed.Remove(name);
        if (value is not null)
        {
            changed[name] = value;
        }

        return Join(changed);
    }

    private static string Join(Dictionary<string, string> values)
        => string.Join('&', values.OrderBy(static pair => pair.Key, StringComparer.Ordinal).Select(
            static pair => $"{pair.Key}={Uri.EscapeDataString(pair.Value)}"));

    // A condition that can't be used is a problem. If it were ignored, the filter would match more than the user asked for.
    private string? Usable(string name, string? value) => value?.Trim() is not { Length: > 0 } text ? null
        : text.Length > MaxCondition
            ? Problem<string>($"The condition '{name}' has {text.Length:N0} characters. Use at most {MaxCondition:N0}.")
        : text.Contains('\0', StringComparison.Ordinal) ? Problem<string>($"The condition '{name}' has a NUL character. Remove it.")
        : text;

    private EntryQuery Build() => new()
    {
        States = States(),
        Queue = this["queue"],
        Kind = this["kind"],
        Reason = this["reason"],
        Node = this["node"],
        JobId = Id(),
        CreatedFrom = Time("from"),
        CreatedTo = Time("to"),
        TraceId = Trace(),
        UniqueKey = this["key"],
        Metadata = Metadata(),
        Text = this["text"],
        Before = Before,
        Limit = PageSize,
    };

    private EntryState[]? States() => this["state"] switch
    {
        null => null,
        "waiting" => [EntryState.Waiting],
        "running" => [EntryState.Running],
        "completed" => [EntryState.Completed],
        "failed" => [EntryState.Failed],
        "cancelled" => [EntryState.Cancelled],
        var other => Problem<EntryState[]?>($"'{other}' is not a state. Use waiting, running, completed, failed or cancelled."),
    };

    private Guid? Id() => this["job"] is not { } text ? null
        : Guid.TryParse(text, out var id) ? id
        : Problem<Guid?>($"'{text}' is not the id of a job. Use a UUID such as 01890c5e-9c1b-7cc3-8f5a-2f6d3a3f0b11.");

    private string? Trace() => this["trace"] is not { } text ? null
        : TraceLink.Find(text) ?? Problem<string?>($"'{text}' is not the id of a trace. Use its 32 hexadecimal digits.");

    private DateTimeOffset? Time(string name) => this[name] is not { } text ? null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time
        : Problem<DateTimeOffset?>($"'{text}' is not a time. Use 2026-11-29 or 2026-11-29T12:30Z; without an offset it is UTC.");

    private KeyValuePair<string, string>? Metadata() => this["meta"] is not { } text ? null
        : text.IndexOf('=', StringComparison.Ordinal) is > 0 and var at ? KeyValuePair.Create(text[..at], text[(at + 1)..])
        : Problem<KeyValuePair<string, string>?>($"'{text}' is not metadata. Use name=value.");

    private long? Whole(string name, string? text) => text is null ? null
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : Problem<long?>($"'{text}' is not a number for '{name}'.");

    private T? Problem<T>(string text)
    {
        _problems.Add(text);
        return default;
    }
}
