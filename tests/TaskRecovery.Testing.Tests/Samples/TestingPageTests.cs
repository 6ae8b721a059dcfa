using System.Text.RegularExpressions;

namespace TaskRecovery.Testing.Tests.Samples;

/// <summary>Compares the examples of docs/testing.md with the tests beside this one, which run them.</summary>
public sealed partial class TestingPageTests
{
    [Fact]
    public void Every_example_of_the_page_is_in_a_test()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "TaskRecovery.Library.sln")))
        {
            root = root.Parent!;
        }

        var page = File.ReadAllText(Path.Combine(root.FullName, "docs", "testing.md"));
        var folder = Path.Combine(root.FullName, "tests", "TaskRecovery.Testing.Tests", "Samples");
        var code = Squeeze(
            string.Concat(Directory.EnumerateFiles(folder, "*SampleTests.cs").Order(StringComparer.Ordinal).Select(File.ReadAllText)));

        // The factory of an application that has a Program class is that of Shop.cs.
        var examples = Example().Matches(page).Select(
            match => match.Groups["code"].Value.Replace("using TaskRecovery.Testing;", "", StringComparison.Ordinal))
            .Where(example => !example.Contains("class Shop", StringComparison.Ordinal)).ToList();

        Assert.Equal(6, examples.Count);
        Assert.All(examples, example => Assert.Contains(Squeeze(example), code, StringComparison.Ordinal));
    }

    private static string Squeeze(string text) => Space().Replace(text, "");

    [GeneratedRegex("```csharp\n(?<code>.*?)```", RegexOptions.Singleline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Example();

    [GeneratedRegex(@"\s+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Space();
}
