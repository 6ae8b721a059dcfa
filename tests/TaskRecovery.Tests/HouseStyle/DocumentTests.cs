using System.Text.RegularExpressions;

namespace TaskRecovery.Tests.HouseStyle;

/// <summary>The documents keep their promises: links lead somewhere, and changes are written down.</summary>
public sealed partial class DocumentTests
{
    [Fact]
    public void Every_link_to_a_file_leads_to_one()
    {
        var broken =
            from file in Documents()
            from Match link in Link().Matches(WithoutCode(File.ReadAllText(file)))
            let target = link.Groups["target"].Value
            where !target.Contains("://", StringComparison.Ordinal) && !target.StartsWith("mailto:", StringComparison.Ordinal)
            where !LeadsSomewhere(file, target)
            select $"{Repository.Relative(file)}: {target}";

        Nothing.In(broken);
    }

    [Fact]
    public void Every_link_by_name_is_defined_once_and_every_definition_is_used()
    {
        var wrong =
            from file in Documents()
            let text = WithoutCode(File.ReadAllText(file))
            let defined = Definition().Matches(text).Select(definition => definition.Groups["name"].Value).ToList()
            let used = NamedLink().Matches(text).Select(link => link.Groups["name"].Value).ToHashSet(StringComparer.Ordinal)
            from name in used.Except(defined).Concat(defined.Except(used))
                .Concat(defined.GroupBy(name => name).Where(names => names.Count() > 1).Select(names => names.Key))
            select $"{Repository.Relative(file)}: [{name}]";

        Nothing.In(wrong);
    }

    [Fact]
    public void The_changelog_has_a_place_for_what_comes_next()
    {
        var headings = File.ReadLines(Path.Combine(Repository.Root, "CHANGELOG.md")).Where(
            line => line.StartsWith("## ", StringComparison.Ordinal));

        Assert.Equal("## [Unreleased]", headings.First());
    }

    [Fact]
    public void The_readme_names_the_two_commands()
    {
        var readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));

        Assert.Contains("dotnet run --project samples/TaskRecovery.SampleHost -- --crash-demo", readme, StringComparison.Ordinal);
        Assert.Matches(new Regex(@"^\s*dotnet test -m:1\s*$", RegexOptions.Multiline), readme);
    }

    [Fact]
    public void The_page_about_stores_names_every_class_of_the_suite()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "stores.md"));
        var classes = Repository.Code("tests/TaskRecovery.StoreConformance")
            .Where(static file => Test().IsMatch(File.ReadAllText(file)))
            .Select(static file => Path.GetFileName(file).Split('.')[0]).ToHashSet(StringComparer.Ordinal);

        Assert.NotEmpty(classes);
        Nothing.In(classes.Where(name => !page.Contains($"`{name}`", StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_source_file_that_the_map_names_exists()
    {
        var files = Repository.Code("src", "tests", "build").Select(Repository.Relative).ToList();
        var missing = SourceName().Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs", "development.md")))
            .Select(name => name.Groups["file"].Value)
            .Where(name => !files.Exists(file => file.EndsWith($"/{name}", StringComparison.Ordinal)));

        Nothing.In(missing);
    }

    [Fact]
    public void Pages_of_packages_link_to_full_addresses_of_files_that_exist()
    {
        string[] ofThisRepository =
        [
            "https://github.com/taskrecovery/taskrecovery/blob/main/",
            "https://github.com/taskrecovery/taskrecovery/tree/main/",
            "https://raw.githubusercontent.com/taskrecovery/taskrecovery/main/",
        ];
        var targets = Repository.Files("build/readmes", "*.md").SelectMany(page => Link().Matches(WithoutCode(File.ReadAllText(page))))
            .Select(link => link.Groups["target"].Value).ToList();

        Assert.NotEmpty(targets);
        Nothing.In(targets.Where(static target => !target.StartsWith("https://", StringComparison.Ordinal)));
        Nothing.In(
            from target in targets
            from start in ofThisRepository
            where target.StartsWith(start, StringComparison.Ordinal) && !Path.Exists(Path.Combine(Repository.Root, target[start.Length..]))
            select target);
    }

    private static IEnumerable<string> Documents() =>
        Directory.EnumerateFiles(Repository.Root, "*.md").Concat(Repository.Files("docs", "*.md")).Concat(
            Repository.Files("samples", "*.md"));

    private static bool LeadsSomewhere(string file, string target)
    {
        var parts = target.Split('#', 2);
        var path = parts[0].Length == 0 ? file
            : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, Uri.UnescapeDataString(parts[0])));
        if (!File.Exists(path))
        {
            return parts.Length == 1 && Directory.Exists(path);
        }

        return parts.Length == 1 || !path.EndsWith(".md", StringComparison.Ordinal) || Anchors(path).Contains(parts[1]);
    }

    /// <summary>The anchors of a page's headings, made the way GitHub makes them.</summary>
    private static HashSet<string> Anchors(string file) =>
        Heading().Matches(WithoutCode(File.ReadAllText(file)))
            .Select(heading => NotInAnchor().Replace(heading.Groups["text"].Value.Trim().ToLowerInvariant(), "").Replace(' ', '-'))
            .ToHashSet(StringComparer.Ordinal);

    private static string WithoutCode(string text) => CodeBlock().Replace(text, "");

    [GeneratedRegex(@"(?<!!)\[[^\]]*\]\((?<target>[^)\s]+)[^)]*\)|!\[[^\]]*\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"\]\[(?<name>[^\]]+)\]")]
    private static partial Regex NamedLink();

    [GeneratedRegex(@"^\[(?<name>[^\]]+)\]: \S+$", RegexOptions.Multiline)]
    private static partial Regex Definition();

    [GeneratedRegex(@"`(?<file>[\w./]+\.cs)`")]
    private static partial Regex SourceName();

    [GeneratedRegex(@"^\s*\[(Fact|Theory)\b", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Test();

    [GeneratedRegex(@"^#{1,6} (?<text>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\p{L}\p{N}_\- ]")]
    private static partial Regex NotInAnchor();

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CodeBlock();
}
