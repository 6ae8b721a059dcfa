using System.Text;

namespace TaskRecovery.PostgreSql;

/// <summary>Converts text to what PostgreSQL can store.</summary>
internal static class Utf8
{
    internal static string ToText(ReadOnlyMemory<byte> json) => Encoding.UTF8.GetString(json.Span);

    /// <summary>Replaces NUL characters, which the server rejects, and unpaired surrogates, which the driver rejects. An error message may
    /// contain either and has to be stored anyway.</summary>
    internal static string? Storable(string? text)
        => text is null ? null : Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text.Replace('\0', '\uFFFD')));
}
