using System.Text.RegularExpressions;

namespace TaskRecovery.SampleHost;

/// <summary>What the job knows of one Markdown file.</summary>
internal sealed partial record MarkdownFile(string Path, int Lines, int Words, IReadOnlyList<string> Links)
{
    /// <summary>Reads a file: its size, and its links to other files.</summary>
    public static async Task<MarkdownFile> ReadAsync(string folder, string path, CancellationToken cancellationToken)
    {
        var text = await File.ReadAllTextAsync(path, cancellationToken);
        var links = Link().Matches(text)
            .Select(match => match.Groups["target"].Value)
            .Where(target => !target.Contains("://", StringComparison.Ordinal)
                && !target.StartsWith('#') && !target.StartsWith("mailto:", StringComparison.Ordinal));
        return new MarkdownFile(
            System.IO.Path.GetRelativePath(folder, path),
            text.AsSpan().Count('\n'),
            Word().Count(text),
            [.. links]);
    }

    /// <summary>The links that lead nowhere.</summary>
    public IEnumerable<string> BrokenLinks(string folder)
    {
        var home = System.IO.Path.GetDirectoryName(System.IO.Path.Combine(folder, Path))!;
        return Links.Where(link => link.Split('#')[0] is { Length: > 0 } target
            && !System.IO.Path.Exists(System.IO.Path.Combine(home, target)));
    }

    [GeneratedRegex(@"(?<!!)\[[^\]]*\]\((?<target>[^)\s]+)\)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Link();

    [GeneratedRegex(@"\w+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Word();
}
