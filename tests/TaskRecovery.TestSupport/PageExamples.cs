using System.Text.RegularExpressions;

namespace TaskRecovery.TestSupport;

/// <summary>The examples of a page of docs, and the code of tests that run them, to compare them without white space.</summary>
public static partial class PageExamples
{
    /// <summary>The C# examples of a page, as they are written.</summary>
    public static IReadOnlyList<string> Of(string page)
        => [.. Example().Matches(Read(page)).Select(static match => match.Groups["code"].Value)];

    /// <summary>The SQL examples of a page, as they are written.</summary>
    public static IReadOnlyList<string> OfSql(string page)
        => [.. Read(page).Split("```sql\n").Skip(1).Select(static part => part[..part.IndexOf("\n```", StringComparison.Ordinal)])];

    /// <summary>The code in the last column of a page's tables.</summary>
    public static IReadOnlyList<string> OfTables(string page)
        => [.. Row().Matches(Read(page)).SelectMany(static row => Code().Matches(row.Groups["last"].Value))
            .Select(static code => code.Groups["code"].Value)];

    /// <summary>The code of the files in a folder of the repository whose names match, without white space.</summary>
    public static string CodeOf(string folder, string files)
        => Squeeze(string.Concat(Directory.EnumerateFiles(Path.Combine(RepositoryFolder.Root, folder), files)
            .Order(StringComparer.Ordinal).Select(File.ReadAllText)));

    /// <summary>A text without white space.</summary>
    public static string Squeeze(string code) => string.Concat(code.Where(static letter => !char.IsWhiteSpace(letter)));

    private static string Read(string page) => File.ReadAllText(Path.Combine(RepositoryFolder.Root, "docs", page)).ReplaceLineEndings("\n");

    [GeneratedRegex(
        @"^```csharp\n(?<code>.*?)^```",
        RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Example();

    [GeneratedRegex(@"^\|.*\|(?<last>[^|]*)\|$", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Row();

    [GeneratedRegex("`(?<code>[^`]+)`", RegexOptions.ExplicitCapture)]
    private static partial Regex Code();
}
