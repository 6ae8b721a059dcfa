using TaskRecovery.Dashboard.Rendering;

namespace TaskRecovery.Dashboard.Tests.Rendering;

/// <summary>JSON as a redactor gets it: the same value, with the characters instead of their escapes.</summary>
public sealed class JsonEscapesTests
{
    [Theory]
    [InlineData("""{"a":1}""", """{"a":1}""")]
    [InlineData("""["\u002B49","\u003Cb\u003E","a\/b"]""", """["+49","<b>","a/b"]""")]
    [InlineData("""["\u00eb\u540D\u00A0"]""", "[\"ë名\u00a0\"]")]
    [InlineData("""["\uD83D\uDE00"]""", "[\"😀\"]")]
    [InlineData("""["\u0022 \u005C \n \" \\ \u0000 \u007f"]""", """["\u0022 \u005C \n \" \\ \u0000 \u007f"]""")]
    [InlineData("""["\uD83D","\uDE00","\uD83Dx","\uD83D\u0041"]""", """["\uD83D","\uDE00","\uD83Dx","\uD83DA"]""")]
    [InlineData("""["\\u002B49 \\\u002B"]""", """["\\u002B49 \\+"]""")]
    [InlineData("""not json \u00""", """not json \u00""")]
    [InlineData("""ends with \""", """ends with \""")]
    public void Escapes_become_characters_unless_json_needs_them(string stored, string expected)
        => Assert.Equal(expected, JsonEscapes.Remove(stored));
}
