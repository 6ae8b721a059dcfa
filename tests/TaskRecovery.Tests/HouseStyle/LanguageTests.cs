using System.Text.RegularExpressions;

namespace TaskRecovery.Tests.HouseStyle;

/// <summary>Pages and comments are plain English: no word that a reader has to decode, and lines that fit on a screen.</summary>
public sealed partial class LanguageTests
{
    private const int MaxColumns = 140;

    // Files and folders that have been rewritten in plain language; a folder stands for all files in it. Add yours.
    private static readonly string[] Rewritten =
    [
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "README.md",
        "SECURITY.md",
        "build/readmes",
        "docs/README.md",
        "docs/benchmarks.md",
        "docs/coming-from",
        "docs/cli.md",
        "docs/comparison.md",
        "docs/concepts.md",
        "docs/configuration.md",
        "docs/dashboard.md",
        "docs/database.md",
        "docs/decisions",
        "docs/deployment.md",
        "docs/development.md",
        "docs/diagnostics.md",
        "docs/ef-core.md",
        "docs/getting-started.md",
        "docs/lab",
        "docs/operations.md",
        "docs/protocol",
        "docs/not-included.md",
        "docs/recipes.md",
        "docs/recovery.md",
        "docs/reliability.md",
        "docs/schedules.md",
        "docs/security.md",
        "docs/stores.md",
        "docs/testing.md",
        "samples",
        "src",
    ];

    [Fact]
    public void No_text_has_a_word_that_readers_had_to_decode()
    {
        var wrong =
            from file in Files()
            from line in Prose(file)
            from Match word in Decoded().Matches(line.Text)
            select $"{Repository.Relative(file)}:{line.Number}: '{word.Value}'";

        Nothing.In(wrong);
    }

    [Fact]
    public void No_name_or_message_in_the_code_has_such_a_word()
    {
        var wrong =
            from file in Repository.Code("src", "samples")
            from line in File.ReadLines(file).Index()
            let code = Comment().Replace(line.Item, "")
            from Match word in DecodedName().Matches(code)
            where !IsColumn(file, word.Value)
            select $"{Repository.Relative(file)}:{line.Index + 1}: '{word.Value}'";

        Nothing.In(wrong);
    }

    [Fact]
    public void Every_text_and_name_is_spelled_as_in_the_United_States()
    {
        var wrong =
            from file in Files()
            from line in file.EndsWith(".md", StringComparison.Ordinal) ? Prose(file) : Lines(file)
            from Match word in British().Matches(line.Text)
            select $"{Repository.Relative(file)}:{line.Number}: '{word.Value}'";

        Nothing.In(wrong);
    }

    [Theory]
    [InlineData("It serialises each argument.")]
    [InlineData("private const int MaxColoured = 1;")]
    [InlineData("// Line endings are normalised first.")]
    public void A_British_spelling_is_found(string text) => Assert.Matches(British(), text);

    [Theory]
    [InlineData("It serializes each argument, and is optimistic.")]
    [InlineData("color: red; promise, exercise")]
    public void An_American_spelling_is_not(string text) => Assert.DoesNotMatch(British(), text);

    [Theory]
    [InlineData("var twoBeats = 2;")]
    [InlineData("_beatNow.Set();")]
    [InlineData("run.Fire();")]
    [InlineData("var mended = 1;")]
    [InlineData("IDeafHandlers handlers")]
    [InlineData("throw new InvalidOperationException(\"it goes on\")")]
    public void A_decoded_name_is_found(string code) => Assert.Matches(DecodedName(), code);

    [Theory]
    [InlineData("HeartbeatInterval = heartbeat")]
    [InlineData("n.beat_at")]
    [InlineData("AmendedAt, Firewall")]
    public void A_plain_name_is_not(string code) => Assert.DoesNotMatch(DecodedName(), code);

    [Fact]
    public void A_line_of_prose_fits_on_a_screen()
    {
        var wrong =
            from file in Files()
            where file.EndsWith(".md", StringComparison.Ordinal)
            from line in Prose(file)
            where !line.Text.TrimStart().StartsWith('|') && line.Text.Length > MaxColumns
            select $"{Repository.Relative(file)}:{line.Number}: {line.Text.Length} columns";

        Nothing.In(wrong);
    }

    [Fact]
    public void No_log_message_puts_a_number_before_a_noun_that_may_be_one()
    {
        var wrong =
            from file in Repository.Files("src", "*Log*.cs")
            from line in File.ReadLines(file).Index()
            from Match number in CountedNoun().Matches(line.Item)
            select $"{Repository.Relative(file)}:{line.Index + 1}: '{number.Value}'; write 'entries: {{Count}}' or 'entries ({{Count}})'";

        Nothing.In(wrong);
    }

    [Theory]
    [InlineData("Its tokens fire.")]
    [InlineData("A beat was lost.")]
    [InlineData("The law holds.")]
    [InlineData("Whoever comes first.")]
    [InlineData("It gives the entry back.")]
    [InlineData("A run is left out.")]
    [InlineData("The handler goes on.")]
    public void A_decoded_word_is_found(string sentence) => Assert.Matches(Decoded(), sentence);

    [Theory]
    [InlineData("Its tokens are cancelled.")]
    [InlineData("A heartbeat was lost.")]
    [InlineData("The handler continues.")]
    public void A_plain_sentence_is_not(string sentence) => Assert.DoesNotMatch(Decoded(), sentence);

    private static IEnumerable<string> Files()
    {
        foreach (var path in Rewritten)
        {
            var full = Path.Combine(Repository.Root, path);
            if (File.Exists(full))
            {
                yield return full;
                continue;
            }

            Assert.True(Directory.Exists(full), $"{path} does not exist: correct the list of this test.");
            // A migration is never edited after it has landed.
            foreach (var file in Repository.Files(path, "*").Where(file => Path.GetExtension(file) is ".md" or ".cs" or ".sql")
                .Where(file => !Repository.Relative(file).Contains("/Migrations/", StringComparison.Ordinal)))
            {
                yield return file;
            }
        }
    }

    // The column that counts heartbeats: renaming it would stop nodes of the version before.
    private static bool IsColumn(string file, string word) => word == "beat" && Path.GetFileName(file) == "NodeSql.cs";

    private static IEnumerable<(int Number, string Text)> Lines(string file)
        => File.ReadLines(file).Index().Select(static line => (line.Index + 1, line.Item));

    /// <summary>What a person reads: a page without its code and the targets of its links, and the comments of a source file.</summary>
    private static IEnumerable<(int Number, string Text)> Prose(string file)
    {
        var isPage = file.EndsWith(".md", StringComparison.Ordinal);
        var inCode = false;
        var number = 0;
        foreach (var line in File.ReadLines(file))
        {
            number++;
            if (!isPage)
            {
                yield return (number, Comment().Match(line).Groups["text"].Value);
            }
            else if (line.TrimStart().StartsWith("```", StringComparison.Ordinal))
            {
                inCode = !inCode;
            }
            else if (!inCode && !LinkDefinition().IsMatch(line))
            {
                yield return (number, LinkTarget().Replace(line, "]"));
            }
        }
    }

    [GeneratedRegex(
        @"\bbeats?\b(?!`)|\bdeaf\b|\bthe law\b|\bnobody gets in\b|\btokens? (fires?|fired|had fired|has fired)\b|\bwhoever\b"
        + @"|\b(give|gives|gave|given)( \w+){0,2} back\b|\bleft out\b|\bmended\b|\bgoes on\b",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex Decoded();

    [GeneratedRegex(
        @"((?<![A-Za-z])b|B)eats?(?![a-z_])|((?<![A-Za-z])d|D)eaf(?![a-z])|((?<![A-Za-z])m|M)end(s|ed|Every)?(?![a-z])|\bFires?\b"
        + @"|\b(goes on|left out|whoever|nobody gets in)\b",
        RegexOptions.ExplicitCapture)]
    private static partial Regex DecodedName();

    [GeneratedRegex(
        @"(author|categor|custom|initial|maxim|minim|normal|optim|organ|recogn|serial|summar|synchron|util)is(e[drs]?|ing|ations?)\b"
        + @"|artefact|behaviour|colour|favour|honour|judgement|licence|neighbour",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex British();

    [GeneratedRegex(@"\{(Claims|Closed|Count|Crashes|Entries|Planned|Recovered|Running|Waiting)\} [a-z]+", RegexOptions.ExplicitCapture)]
    private static partial Regex CountedNoun();

    [GeneratedRegex(@"(?<!:)(//|--)/?\s?(?<text>.*)$")]
    private static partial Regex Comment();

    [GeneratedRegex(@"^\[[^\]]+\]: \S+$")]
    private static partial Regex LinkDefinition();

    [GeneratedRegex(@"\]\([^)]*\)|\]\[[^\]]*\]")]
    private static partial Regex LinkTarget();
}
