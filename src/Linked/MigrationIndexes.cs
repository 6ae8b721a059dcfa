using System.Text.RegularExpressions;

namespace TaskRecovery.Storage;

/// <summary>The indexes that migrations create and do not drop again, with their statements.</summary>
internal static partial class MigrationIndexes
{
    /// <summary>Returns the statement of each index by its name. A statement contains the placeholders of the migrations.</summary>
    internal static IReadOnlyDictionary<string, string> Of(IEnumerable<Migration> migrations)
    {
        var statements = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var match in migrations.SelectMany(static migration => Statement().Matches(migration.Text)))
        {
            var name = match.Groups["name"].Value;
            if (match.Groups["drop"].Success)
            {
                statements.Remove(name);
            }
            else
            {
                statements[name] = match.Groups["statement"].Value.ReplaceLineEndings(" ");
            }
        }

        return statements;
    }

    [GeneratedRegex(
        @"^(?<statement>create (unique )?index (?<name>\w+)[^;]*);|^(?<drop>drop index (if exists )?)(\{schema\}\.)?(?<name>\w+)",
        RegexOptions.Multiline | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Statement();
}
