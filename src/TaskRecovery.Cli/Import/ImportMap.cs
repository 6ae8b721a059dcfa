using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Cli.Errors;

namespace TaskRecovery.Cli.Import;

/// <summary>Which kind the work of a type of the other system becomes, as the user says it.</summary>
internal sealed partial class ImportMap
{
    private const string Example = "'Shop.Mailer.Send=mail.send(orderId)'";

    private readonly Dictionary<string, MappedKind> _byName = new(StringComparer.Ordinal);

    private ImportMap()
    {
    }

    /// <summary>Reads the values of <c>--map</c>: each is a mapping such as <c>Shop.Mailer.Send=mail.send(orderId)</c>, or a file of
    /// JSON with the same on both sides of a property.</summary>
    /// <exception cref="CommandException">A mapping can't be read.</exception>
    public static ImportMap Read(IEnumerable<string> given)
    {
        var map = new ImportMap();
        foreach (var text in given)
        {
            if (text.IndexOf('=', StringComparison.Ordinal) is var at and >= 0)
            {
                map.Add(text[..at].Trim(), text[(at + 1)..].Trim(), $"--map is '{text}'");
                continue;
            }

            foreach (var (type, kind) in ReadFile(text))
            {
                map.Add(type.Trim(), kind.Trim(), $"'{text}' maps '{type}' to '{kind}'");
            }
        }

        return map;
    }

    /// <summary>Finds the kind of a method, or else that of its type.</summary>
    public MappedKind? Find(string type, string? method)
        => (method is null ? null : _byName.GetValueOrDefault($"{type}.{method}")) ?? _byName.GetValueOrDefault(type);

    private void Add(string type, string target, string where)
    {
        var parts = Target().Match(target);
        if (type.Length == 0 || !parts.Success)
        {
            throw CommandException.Usage($"{where}: write a type and its kind, as in {Example}.");
        }

        string[]? names = parts.Groups["names"] is { Success: true, Value: var list }
            ? list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            : null;
        if (names?.Distinct(StringComparer.Ordinal).Count() < names?.Length)
        {
            throw CommandException.Usage($"{where}: two arguments have the same name. Give each a name of its own.");
        }

        var kind = parts.Groups["kind"].Value;
        try
        {
            // The library's own rule for the names of kinds.
            new ServiceCollection().AddTaskRecovery().AddKind<JsonElement>(kind);
        }
        catch (ArgumentException exception)
        {
            throw CommandException.Usage($"{where}: {exception.Message}");
        }

        if (!_byName.TryAdd(type, new MappedKind(kind, names)))
        {
            throw CommandException.Usage($"{where}, and '{type}' is mapped before: map it once.");
        }
    }

    private static List<(string Type, string Kind)> ReadFile(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            using var document = JsonDocument.Parse(
                file, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.EnumerateObject().All(static one => one.Value.ValueKind == JsonValueKind.String)
                ? [.. document.RootElement.EnumerateObject().Select(static one => (one.Name, one.Value.GetString()!))]
                : throw CommandException.Usage(
                    $"--map is '{path}', which is not a JSON object of texts: write {{\"Shop.Mailer.Send\": \"mail.send(orderId)\"}}.");
        }
        catch (JsonException exception)
        {
            throw CommandException.Usage($"--map is '{path}', which can't be read as JSON (line {exception.LineNumber + 1}).");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw CommandException.Usage($"--map is '{path}', which is neither a mapping such as {Example} nor a file that can be read: "
                + exception.Message);
        }
    }

    [GeneratedRegex(@"^(?<kind>[^()]+?)\s*(\((?<names>[^()]*)\))?$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Target();
}
