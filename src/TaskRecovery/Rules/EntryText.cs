using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace TaskRecovery.Rules;

/// <summary>Checks and cleans text that databases can't store.</summary>
internal static class EntryText
{
    /// <summary>Returns whether the JSON contains a NUL character in a string. JSON always writes it as an escape.</summary>
    public static bool HasEscapedNul(ReadOnlySpan<byte> json)
    {
        while (json.IndexOf("\\u0000"u8) is var at and >= 0)
        {
            var backslashes = 0;
            while (at - backslashes - 1 >= 0 && json[at - backslashes - 1] == (byte)'\\')
            {
                backslashes++;
            }

            if (backslashes % 2 == 0)
            {
                return true;
            }

            json = json[(at + 6)..];
        }

        return false;
    }

    // Control characters, line breaks and bidirectional formatting characters. In a name they could forge a log line or disguise the name.
    private static readonly SearchValues<char> Invisible = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20)
            .Concat(Enumerable.Range(0x7F, 0x21))
            .Concat([0x61C, 0x200E, 0x200F])
            .Concat(Enumerable.Range(0x2028, 7))
            .Concat(Enumerable.Range(0x2066, 4))
            .Select(static code => (char)code)]);

    /// <summary>Returns why a name or key can't be stored, as a sentence fragment for messages; <see langword="null"/> if it can.</summary>
    public static string? Problem(string text)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            return "has a NUL character, which databases can't store as text";
        }

        if (text.AsSpan().IndexOfAny(Invisible) is var at and >= 0)
        {
            return $"has the control character U+{(int)text[at]:X4}, which would be shown as something else in logs";
        }

        return IsWellFormed(text) ? null
            : "has half of a surrogate pair (a text that was cut in the middle of a character), which is no UTF-8";
    }

    /// <summary>Formats a text for messages and logs. Control characters are shown as their codes.</summary>
    public static string Shown(string text)
    {
        if (text.AsSpan().IndexOfAny(Invisible) < 0)
        {
            return text;
        }

        var shown = new StringBuilder(text.Length + 16);
        foreach (var character in text)
        {
            _ = Invisible.Contains(character)
                ? shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:X4}")
                : shown.Append(character);
        }

        return shown.ToString();
    }

    /// <summary>Makes any text, such as an exception's, storable: truncates it and replaces NUL characters and lone surrogates.</summary>
    public static string Storable(string text, int maxChars)
    {
        // Truncate first, because the text may be very long.
        if (text.Length > maxChars)
        {
            text = string.Concat(text.AsSpan(0, char.IsHighSurrogate(text[maxChars - 1]) ? maxChars - 1 : maxChars), " ...");
        }

        if (text.Contains('\0', StringComparison.Ordinal))
        {
            text = text.Replace('\0', '\uFFFD');
        }

        return IsWellFormed(text) ? text : Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
    }

    private static bool IsWellFormed(string text)
    {
        var rest = text.AsSpan();
        while (rest.IndexOfAnyInRange('\uD800', '\uDFFF') is var at and >= 0)
        {
            if (Rune.DecodeFromUtf16(rest[at..], out _, out var length) != OperationStatus.Done)
            {
                return false;
            }

            rest = rest[(at + length)..];
        }

        return true;
    }
}

/// <summary>Writes and reads the metadata of an entry as a JSON object.</summary>
internal static class EntryMetadata
{
    private static readonly IReadOnlyDictionary<string, string> None = new Dictionary<string, string>(StringComparer.Ordinal).AsReadOnly();

    public static string? Write(IReadOnlyDictionary<string, string>? metadata)
    {
        if (metadata is null || metadata.Count == 0)
        {
            return null;
        }

        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (var (key, value) in metadata)
            {
                writer.WriteString(key, value);
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    public static IReadOnlyDictionary<string, string> Read(string? json)
    {
        if (string.IsNullOrEmpty(json))
        {
            return None;
        }

        using var document = JsonDocument.Parse(json);
        return document.RootElement.EnumerateObject().ToDictionary(
            property => property.Name, property => property.Value.GetString() ?? string.Empty, StringComparer.Ordinal);
    }
}
