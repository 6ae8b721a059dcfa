using System.Text.Json;
using TaskRecovery.Dashboard.Api;

namespace TaskRecovery.Dashboard.Security;

/// <summary>A scope as a text that is the same for the same scope.</summary>
internal static class ScopeText
{
    public static string Of(EntryScope? scope)
        => scope is null
            ? ""
            : JsonSerializer.Serialize(
                scope with { Queues = Sorted(scope.Queues), Kinds = Sorted(scope.Kinds) }, ApiJson.Default.EntryScope);

    private static string[]? Sorted(IReadOnlyCollection<string>? names)
        => names is null ? null : [.. names.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
}
