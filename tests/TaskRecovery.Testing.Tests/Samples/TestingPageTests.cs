using TaskRecovery.TestSupport;

namespace TaskRecovery.Testing.Tests.Samples;

/// <summary>Compares the examples of docs/testing.md with the tests beside this one, which run them.</summary>
public sealed class TestingPageTests
{
    [Fact]
    public void Every_example_of_the_page_is_in_a_test()
    {
        var code = PageExamples.CodeOf("tests/TaskRecovery.Testing.Tests/Samples", "*SampleTests.cs");

        // The factory of an application that has a Program class is that of Shop.cs.
        var examples = PageExamples.Of("testing.md")
            .Select(static example => example.Replace("using TaskRecovery.Testing;", "", StringComparison.Ordinal))
            .Where(static example => !example.Contains("class Shop", StringComparison.Ordinal)).ToList();

        Assert.Equal(6, examples.Count);
        Assert.All(examples, example => Assert.Contains(PageExamples.Squeeze(example), code, StringComparison.Ordinal));
    }
}
