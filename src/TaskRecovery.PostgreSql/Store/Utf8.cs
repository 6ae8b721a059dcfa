using System.Text;

namespace TaskRecovery.PostgreSql;

/// <summary>Text as PostgreSQL takes it.</summary>
internal static class Utf8
{
    internal static string ToText(ReadOnlyMemory<byte> json) => Encoding.UTF8.GetString(json.Span);

    /// <summary>The server takes no zero character in a text, and the driver no half of a surrogate pair; an error's message may hold one and is to be stored all the same.</summary>
    internal static string? Storable(string? text)
        => text is null ? null : Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text.Replace('\0', '\uFFFD')));
}
