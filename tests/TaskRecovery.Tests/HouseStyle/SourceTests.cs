using System.Text.RegularExpressions;

namespace TaskRecovery.Tests.HouseStyle;

/// <summary>The rules that can be read from the source files.</summary>
public sealed partial class SourceTests
{
    private const int MaxLines = 400;
    private const int MaxColumns = 140;

    // The folder of the files that several projects compile.
    private const string Linked = "Linked";

    private static readonly string[] BannedFolders =
        ["Helpers", "Utils", "Utilities", "Common", "Models", "Interfaces", "Managers", "Misc", "Shared", "Extensions"];

    [Fact]
    public void A_type_at_the_root_is_public_and_a_type_in_a_folder_is_internal()
    {
        var wrong =
            from file in Repository.Code("src")
            let parts = Repository.Relative(file).Split('/')
            let text = File.ReadAllText(file)
            let isContract = parts is [_, not Linked, _] or [_, "TaskRecovery", "Storage", _]
                || (parts is [_, "TaskRecovery", "Operations", _] && Namespace().Match(text).Groups["name"].Value == "TaskRecovery")
            from Match type in TopLevelType().Matches(text)
            let isPublic = type.Groups["access"].Value == "public"
            where isPublic != isContract
            select $"{Repository.Relative(file)}: {type.Value.Trim()}";

        Nothing.In(wrong);
    }

    [Fact]
    public void A_file_has_one_public_type()
    {
        var wrong =
            from file in Repository.Code("src")
            let types = TopLevelType().Matches(File.ReadAllText(file)).Where(
                type => type.Groups["access"].Value == "public").Select(type => type.Groups["name"].Value).Distinct()
            where types.Count() > 1
            select $"{Repository.Relative(file)}: {string.Join(", ", types)}";

        Nothing.In(wrong);
    }

    [Fact]
    public void No_file_is_too_long_to_read()
    {
        var wrong =
            from file in Repository.Code("src", "tests", "samples", "build")
            let lines = File.ReadLines(file).Count()
            where lines > MaxLines
            select $"{Repository.Relative(file)}: {lines} lines";

        Nothing.In(wrong);
    }

    [Fact]
    public void No_line_is_too_long_to_read()
    {
        var wrong =
            from file in Repository.Code("src", "tests", "samples", "build")
            from line in File.ReadLines(file).Index()
            where line.Item.Length > MaxColumns
            select $"{Repository.Relative(file)}:{line.Index + 1}: {line.Item.Length} columns";

        Nothing.In(wrong);
    }

    [Fact]
    public void A_folder_is_named_after_what_it_does()
    {
        var wrong = Repository.Code("src", "tests", "samples")
            .Select(Repository.Relative)
            .Where(file => file.Split('/').SkipLast(1).Any(folder => BannedFolders.Contains(folder, StringComparer.OrdinalIgnoreCase)));

        Nothing.In(wrong);
    }

    [Fact]
    public void A_namespace_is_its_folder_or_its_store()
    {
        var wrong =
            from file in Repository.Code("src", "tests", "samples")
            let parts = Repository.Relative(file).Split('/')
            let expected = string.Join('.', parts[1..^1])
            let actual = Namespace().Match(File.ReadAllText(file)).Groups["name"].Value
            where parts is not ["src", Linked, _] // Such a file is compiled into several libraries.
            // One using for a user.
            let isContract = parts is ["src", _, _] or ["src", "TaskRecovery", "Operations", _]
                && actual is ("TaskRecovery" or "Microsoft.Extensions.DependencyInjection" or "Microsoft.AspNetCore.Builder"
                    or "Microsoft.EntityFrameworkCore" or "OpenTelemetry.Metrics" or "OpenTelemetry.Trace")
            let isStore = actual is "TaskRecovery.PostgreSql" or "TaskRecovery.Sqlite" && actual == parts[1] // A store is one namespace.
            where actual.Length > 0 && actual != expected && !isContract && !isStore
            select $"{Repository.Relative(file)}: {actual}, expected {expected}";

        Nothing.In(wrong);
    }

    [Fact]
    public void No_test_is_skipped()
    {
        var wrong = Repository.Code("tests").Where(file => Skip().IsMatch(File.ReadAllText(file))).Select(Repository.Relative);

        Nothing.In(wrong);
    }

    [Fact]
    public void No_test_sleeps()
    {
        var wrong = Repository.Code("tests")
            .Where(file => Repository.Relative(file).Contains(".Tests/", StringComparison.Ordinal)
                && Sleep().IsMatch(File.ReadAllText(file)))
            .Select(Repository.Relative);

        Nothing.In(wrong);
    }

    [Fact]
    public void No_region_hides_code()
    {
        var wrong = Repository.Code("src", "tests", "samples").Where(file => Region().IsMatch(File.ReadAllText(file)))
            .Select(Repository.Relative);

        Nothing.In(wrong);
    }

    [GeneratedRegex(
        @"^(?<access>public|internal|file|private)?[\w ]*\b(class|struct|interface|enum|record|delegate)\b (struct )?(?<name>\w+)[^\r\n]*",
        RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex TopLevelType();

    [GeneratedRegex(@"^namespace (?<name>[\w.]+)", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"\bSkip(?:When|Unless)?\s*=")]
    private static partial Regex Skip();

    [GeneratedRegex(@"\bThread\.Sleep\(")]
    private static partial Regex Sleep();

    [GeneratedRegex(@"^\s*#region\b", RegexOptions.Multiline)]
    private static partial Regex Region();
}
