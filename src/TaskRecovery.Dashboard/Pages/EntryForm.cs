using Microsoft.AspNetCore.WebUtilities;
using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using TaskRecovery.Dashboard.Security;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>The filter of the entries page, as it is in the address.</summary>
internal sealed class EntryForm
{
    public const int PageSize = 50;

    private const int MaxCondition = 1_000;
    private const int MaxName = 50;

    private static readonly string[] Conditions =
        ["state", "queue", "kind", "reason", "node", "job", "from", "to", "ended-from", "ended-to", "trace", "key", "meta", "text"];

    // What is compared as it is; numbers, times and ids are trimmed.
    private static readonly string[] Exact = ["queue", "kind", "reason", "node", "key", "meta", "text"];

    // What else the address of a list may contain: the page, its length, the grouping, and the note about an action.
    private static readonly string[] Others = ["before", "limit", "group", "by", "did", "n", "undo"];

    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);
    private readonly List<string> _problems = [];

    private readonly EntryScope? _scope;

    private EntryForm(Func<string, string?> read, IEnumerable<string> unknown, Access access)
    {
        foreach (var name in Conditions)
        {
            if (Usable(name, read(name)) is { } value)
            {
                _values[name] = value;
            }
        }

        foreach (var name in unknown)
        {
            Problem<string>($"'{Shortened(name)}' is not a condition. Use {string.Join(", ", Conditions[..^1])} or {Conditions[^1]}.");
        }

        DataConditions = [.. _values.Keys.Where(static name => name is "key" or "meta" or "text")];
        IsRefused = NeedsData && !access.Search;
        Before = Whole("before", Usable("before", read("before")));
        _scope = access.Scope;
        Query = Build();
    }

    /// <summary>The names of the conditions.</summary>
    public static IReadOnlyList<string> Names => Conditions;

    /// <summary>What is wrong with the filter, in words.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>Whether the filter reads data: a user who may not see data may not search it, because a search reveals it.</summary>
    public bool NeedsData => DataConditions.Count > 0;

    /// <summary>The names of the conditions that read data.</summary>
    public IReadOnlyList<string> DataConditions { get; }

    public bool IsRefused { get; }

    /// <summary>Why a search in data is refused, and what to do.</summary>
    public static string Refused(Access access) => access.Data
        ? "A search in keys, metadata and arguments would find what the redactor hides. It needs the policy that SearchPolicy names. "
            + "Remove these conditions."
        : "A search in keys, metadata and arguments reads data, which you may not see. Remove these conditions.";

    /// <summary>Whether the store may have to examine many entries.</summary>
    public bool IsSearch => NeedsData || _scope?.Metadata is not null
        || _values.Keys.Any(static name => name is not ("state" or "queue" or "kind"));

    /// <summary>How often an open page asks again; <see langword="null"/> if it does not. A kind may be rare, and then the store looks at
    /// many entries to find a page of it.</summary>
    public TimeSpan? Live => IsSearch || Before is not null ? null : TimeSpan.FromSeconds(this["kind"] is null ? 2 : 5);

    /// <summary>Whether it is one of the few lists that the pages link to without a name or number of the user.</summary>
    public bool IsCommon => Before is null && _scope is null && _values.Keys.All(static name => name == "state");

    /// <summary>Whether a condition is set that does not match every entry. Without one, an action on all that match must say that it means
    /// all.</summary>
    public bool IsSelective => _values.Any(static pair => pair is not { Key: "kind", Value: "*" });

    public bool HasFilter => _values.Keys.Any(static name => name != "state");

    /// <summary>Whether the numbers of the snapshot count what the filter matches in each state: they are separated by queue
    /// alone.</summary>
    public bool IsCounted => _values.Keys.All(static name => name is "state" or "queue");

    public long? Before { get; }

    public EntryQuery Query { get; }

    /// <summary>The filter as the query of an address, without the cursor.</summary>
    public string Address => Join(_values);

    public string? this[string name] => _values.GetValueOrDefault(name);

    public static EntryForm Read(DashboardRequest request)
    {
        var given = request.Context.Request.Query;
        return new EntryForm(name => given[name], given.Keys.Where(static name => !IsCondition(name) && !Others.Contains(
            name, StringComparer.OrdinalIgnoreCase)), request.Access);
    }

    /// <summary>The filter from an address that a form carries. It decides what an action changes, so a condition without a value is a
    /// problem too: it may be what is left of a script's variable.</summary>
    public static EntryForm Parse(string address, Access access)
    {
        var given = QueryHelpers.ParseQuery(address);
        var form = new EntryForm(
            name => given.TryGetValue(name, out var value) ? value.ToString() : null,
            given.Keys.Where(static name => !IsCondition(name)), access);
        foreach (var (name, _) in given.Where(static pair => IsCondition(pair.Key) && string.IsNullOrWhiteSpace(pair.Value)))
        {
            form._problems.Add($"The condition '{name}' has no value. Give it one, or remove it.");
        }

        return form;
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

    private static bool IsCondition(string name) => Conditions.Contains(name, StringComparer.OrdinalIgnoreCase);

    private static string Shortened(string name) => name.Length > MaxName ? name[..MaxName] + "…" : name;

    private static string Join(Dictionary<string, string> values)
        => string.Join('&', values.OrderBy(static pair => pair.Key, StringComparer.Ordinal).Select(
            static pair => $"{pair.Key}={Uri.EscapeDataString(pair.Value)}"));

    // A condition that can't be used is a problem. If it were ignored, the filter would match more than the user asked for. A name, a key
    // or a text may begin and end with white space: without it, another queue or kind would match.
    private string? Usable(string name, string? value)
        => string.IsNullOrWhiteSpace(value) ? null : Checked(name, Exact.Contains(name, StringComparer.Ordinal) ? value : value.Trim());

    private string? Checked(string name, string text) => text.Length > MaxCondition
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
        EndedFrom = Time("ended-from"),
        EndedTo = Time("ended-to"),
        TraceId = Trace(),
        UniqueKey = this["key"],
        Metadata = Metadata(),
        Text = this["text"],
        Scope = _scope,
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
        : DashboardRequest.Time(text) ?? Problem<DateTimeOffset?>(
            $"'{text}' is not a time. Use 2026-11-29 or 2026-11-29T12:30Z; without an offset it is UTC.");

    private KeyValuePair<string, string>? Metadata() => this["meta"] is not { } text ? null
        : text.IndexOf('=', StringComparison.Ordinal) is > 0 and var at ? KeyValuePair.Create(text[..at], text[(at + 1)..])
        : Problem<KeyValuePair<string, string>?>($"'{text}' is not metadata. Use name=value.");

    private long? Whole(string name, string? text) => text is null ? null
        : DashboardRequest.Whole(text) ?? Problem<long?>($"'{text}' is not a number for '{name}'.");

    private T? Problem<T>(string text)
    {
        _problems.Add(InvisibleText.Shown(text));
        return default;
    }
}
