using System.Text.RegularExpressions;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Testing.Tests.Samples;

/// <summary>The examples of a page of docs, and the code of the samples that run them, to compare them without white space.</summary>
internal static partial class PageExamples
{
    /// <summary>The C# examples of a page, as they are written.</summary>
    public static IReadOnlyList<string> Of(string page)
        => [.. Example().Matches(File.ReadAllText(Path.Combine(RepositoryFolder.Root, "docs", page)))
            .Select(static match => match.Groups["code"].Value)];

    /// <summary>The code of the samples whose file names match, without white space.</summary>
    public static string CodeOf(string files)
    {
        var folder = Path.Combine(RepositoryFolder.Root, "tests", "TaskRecovery.Testing.Tests", "Samples");
        return Squeeze(string.Concat(Directory.EnumerateFiles(folder, files).Order(StringComparer.Ordinal).Select(File.ReadAllText)));
    }

    public static string Squeeze(string code) => string.Concat(code.Where(static letter => !char.IsWhiteSpace(letter)));

    [GeneratedRegex(
        @"^```csharp\r?\n(?<code>.*?)^```",
        RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Example();
}
