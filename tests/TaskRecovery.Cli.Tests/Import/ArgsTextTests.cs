using System.Text.Json;
using TaskRecovery.Cli.Import;

namespace TaskRecovery.Cli.Tests.Import;

/// <summary>Arguments that can't be stored refuse their own item, and do not end the import.</summary>
public sealed class ArgsTextTests
{
    public static TheoryData<string, string> Odd { get; } = new()
    {
        { """ "a\ud800b" """, "a lone surrogate" },
        { """ {"\udc00":1} """, "a lone surrogate" },
        { """ {"a":["\ud800"]} """, "a lone surrogate" },
        { """ "a\u0000b" """, "NUL character" },
        { new string('[', 64) + new string(']', 64), "at most 64 levels" },
        { "[1", "at most 64 levels" },
    };

    [Theory]
    [MemberData(nameof(Odd))]
    public void Odd_arguments_are_refused(string json, string reason)
        => Assert.Contains(
            reason, Assert.Throws<ImportRefusedException>(() => ArgsText.ToObject([("arg0", json)])).Message, StringComparison.Ordinal);

    [Fact]
    public void Name_with_half_a_character_is_refused()
    {
        var members = JsonElement.Parse("""{"\udc00":1}""").EnumerateObject().Select(static member => (member.Name, "1"));

        var error = Assert.Throws<ImportRefusedException>(() => ArgsText.ToObject(members));

        Assert.Contains("a lone surrogate", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Deep_arguments_and_whole_characters_are_kept()
    {
        var deep = new string('[', 60) + new string(']', 60);
        var args = ArgsText.ToObject([("text", "\"\\ud83d\\ude00\""), ("deep", deep)]);

        Assert.Equal("\U0001F600", args.GetProperty("text").GetString());
        Assert.Equal(deep, args.GetProperty("deep").GetRawText());
    }
}
