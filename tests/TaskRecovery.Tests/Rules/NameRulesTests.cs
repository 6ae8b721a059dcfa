using TaskRecovery.Rules;

namespace TaskRecovery.Tests.Rules;

/// <summary>Each kind of name has one rule, and its error has the value, the rule and the remedy.</summary>
public sealed class NameRulesTests
{
    public static TheoryData<string?, string> Bad => new()
    {
        { null, "The queue '' is empty: give it 1 to 100 bytes of UTF-8." },
        { " ", "The queue ' ' is empty: give it 1 to 100 bytes of UTF-8." },
        { new string('q', 101), "has 101 bytes of UTF-8: shorten it to at most 100 bytes." },
        { new string('é', 51), "has 102 bytes of UTF-8: shorten it to at most 100 bytes." },
        { "a\0b", "The queue 'a\\u0000b' has a NUL character" },
        { "a\nb", "The queue 'a\\u000Ab' has the control character U+000A" },
        { "a\u202Eb", "The queue 'a\\u202Eb' has the control character U+202E" },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void A_name_that_no_store_can_keep_is_refused(string? name, string expected)
    {
        var error = Assert.Throws<ArgumentException>("queue", () => NameRules.Queue.Check(name, "The queue", "queue"));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    // Not in the data above: a test runner that writes the data as text replaces the half.
    [Fact]
    public void Half_of_a_surrogate_pair_is_refused()
        => Assert.Contains(
            "has half of a surrogate pair",
            Assert.Throws<ArgumentException>("queue", () => NameRules.Queue.Check("a\uD83Db", "The queue", "queue")).Message,
            StringComparison.Ordinal);

    [Fact]
    public void A_kind_has_no_star()
    {
        foreach (var name in (string[])["*", "mail.*", "a*b"])
        {
            Assert.Contains("a '*', which stands for the rest of a kind", NameRules.Kind.Problem(name), StringComparison.Ordinal);
            Assert.Null(NameRules.Queue.Problem(name));
        }
    }

    [Fact]
    public void A_name_of_the_greatest_length_is_taken() => NameRules.Queue.Check(new string('q', 100), "The queue", "queue");

    [Fact]
    public void Only_a_unique_key_may_be_blank()
    {
        NameRule[] others = [NameRules.Queue, NameRules.Kind, NameRules.Job, NameRules.Node, NameRules.Step];

        Assert.Null(NameRules.UniqueKey.Problem(" "));
        Assert.All(others, static rule => Assert.NotNull(rule.Problem(" ")));
    }

    [Fact]
    public void The_lengths_are_what_the_tables_take()
        => Assert.Equal(
            (100, 100, 200, 200, 200, 255),
            (NameRules.Queue.MaxBytes, NameRules.Kind.MaxBytes, NameRules.Job.MaxBytes, NameRules.Node.MaxBytes, NameRules.Step.MaxBytes,
                NameRules.UniqueKey.MaxBytes));
}
