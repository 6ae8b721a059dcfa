using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Tests.Rendering;

/// <summary>A value can't leave the place in which it was put.</summary>
public sealed class MarkupTests
{
    [Theory]
    [InlineData("<script>", "&lt;script&gt;")]
    [InlineData("a\"b'c", "a&quot;b&#39;c")]
    [InlineData("&amp;", "&amp;amp;")]
    [InlineData("a\u202eb", "a\\u202eb")]
    [InlineData("a\u0000\u001b[31mb", "a\\u0000\\u001b[31mb")]
    [InlineData("line\nline\ttab", "line\nline\ttab")]
    [InlineData("", "")]
    [InlineData(null, "")]
    [InlineData("größe 名 😀", "größe 名 😀")]
    public void A_value_is_encoded(string? value, string expected)
        => Assert.Equal($"<b title=\"{expected}\">{expected}</b>", Html($"<b title=\"{value}\">{value}</b>").ToString());

    [Fact]
    public void Markup_inside_markup_is_not_encoded_twice()
        => Assert.Equal("<p><b>a&amp;b</b></p>", Html($"<p>{Html($"<b>{"a&b"}</b>")}</p>").ToString());

    [Fact]
    public void Numbers_do_not_depend_on_the_culture() => Assert.Equal("1234567 0.5", Html($"{1_234_567} {0.5:0.##}").ToString());

    [Fact]
    public void Each_renders_one_after_the_other()
        => Assert.Equal("<i>a</i><i>&lt;</i>", Each(["a", "<"], item => Html($"<i>{item}</i>")).ToString());

    [Theory]
    [InlineData("{\"a\":1,\"b\":[true,null,\"x\\ny\"],\"c\":{}}")]
    [InlineData("[]")]
    [InlineData("\"</pre><script>alert(1)</script>\"")]
    [InlineData("not json <b>")]
    [InlineData("{\"half\":\"\\ud800\"}")]
    [InlineData("{\"\\ud800\":1}")]
    public void Json_is_shown_without_becoming_markup(string json)
    {
        var shown = JsonMarkup.Render(json).ToString();

        Assert.StartsWith("<pre tabindex=\"0\">", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>", shown, StringComparison.Ordinal);
    }

    [Fact]
    public void Json_is_indented() => Assert.Equal(
        "<pre tabindex=\"0\">{\n  <span class=\"json-key\">&quot;a&quot;</span>: [\n    <span class=\"json-value\">1</span>,\n    <span "
        + "class=\"json-value\">2</span>\n  ]\n}</pre>",
        JsonMarkup.Render("{\"a\":[1,2]}").ToString());
}
