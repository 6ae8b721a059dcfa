namespace TaskRecovery.Dashboard.Tests.Support;

/// <summary>How every stored text of the fake system is written.</summary>
internal abstract class Texts
{
    public static Texts Plain { get; } = new PlainTexts();

    public static Texts Hostile { get; } = new HostileTexts();

    public static Texts Long { get; } = new LongTexts();

    public abstract string Of(string text);

    private sealed class PlainTexts : Texts
    {
        public override string Of(string text) => text;
    }

    /// <summary>Markup, an attribute's end, a control character and a change of direction in every text.</summary>
    private sealed class HostileTexts : Texts
    {
        public override string Of(string text)
            => $"{text}\"'><script>window.pwned=1</script><img src=x onerror=window.pwned=1>{{{{7*7}}}}`\u0000\u001b[31m\u202e "
                + "javascript:alert(1)";
    }

    private sealed class LongTexts : Texts
    {
        public override string Of(string text) => text.Length is > 60 or 0 ? text : text + string.Concat(
            Enumerable.Repeat(".a-very-long-name-without-a-space", 4));
    }
}
