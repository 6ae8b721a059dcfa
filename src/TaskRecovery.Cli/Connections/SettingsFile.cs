using System.Text.Json;
using TaskRecovery.Cli.Errors;

namespace TaskRecovery.Cli.Connections;

/// <summary>A file such as <c>appsettings.json</c>, of which only the connection strings are read.</summary>
internal static class SettingsFile
{
    private const string Section = "ConnectionStrings";

    private static readonly JsonDocumentOptions Format = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <summary>Reads a connection string.</summary>
    /// <param name="path">The file.</param>
    /// <param name="name">The name of the connection string; <see langword="null"/> for the only one.</param>
    /// <exception cref="CommandException">It can't be found. The message contains names, but no value.</exception>
    public static string Read(string path, string? name)
    {
        var found = ReadAll(path);
        if (found.Count == 0)
        {
            throw CommandException.Usage($"--settings is '{path}', which has no {Section}: use -c, or another file.");
        }

        var names = string.Join(", ", found.Keys.Order(StringComparer.Ordinal));
        return name switch
        {
            null when found.Count == 1 => found.Values.Single(),
            null => throw CommandException.Usage($"'{path}' has several {Section}: choose one with --name: {names}."),
            _ => found.TryGetValue(name, out var text)
                ? text
                : throw CommandException.Usage($"--name is '{name}', which is not in {Section} of '{path}': use one of {names}."),
        };
    }

    private static Dictionary<string, string> ReadAll(string path)
    {
        var found = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        try
        {
            using var file = File.OpenRead(path);
            using var document = JsonDocument.Parse(file, Format);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                return found;
            }

            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (string.Equals(property.Name, Section, StringComparison.OrdinalIgnoreCase)
                    && property.Value.ValueKind == JsonValueKind.Object)
                {
                    foreach (var one in property.Value.EnumerateObject())
                    {
                        Add(one.Name, one.Value);
                    }
                }
                else if (property.Name.StartsWith($"{Section}:", StringComparison.OrdinalIgnoreCase))
                {
                    Add(property.Name[(Section.Length + 1)..], property.Value);
                }
            }

            return found;
        }
        catch (JsonException exception)
        {
            throw CommandException.Usage($"--settings is '{path}', which can't be read as JSON (line {exception.LineNumber + 1}).");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw CommandException.Usage($"--settings is '{path}', which can't be read: {exception.Message}");
        }

        void Add(string name, JsonElement value)
        {
            if (value.ValueKind == JsonValueKind.String)
            {
                found[name] = value.GetString()!;
            }
        }
    }
}
