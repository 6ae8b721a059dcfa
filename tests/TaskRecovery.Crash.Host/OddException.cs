namespace TaskRecovery.Crash.Host;

/// <summary>An exception whose text is missing, fails, or can't be stored as it is.</summary>
internal sealed class OddException : Exception
{
    private readonly Func<string?> _text;

    private OddException(Func<string?> text) => _text = text;

    public override string Message => _text()!;

    /// <summary>How many different ones there are.</summary>
    public static int Kinds { get; } = Texts.Length;

    private static Func<string?>[] Texts =>
    [
        static () => null,
        static () => throw new InvalidOperationException("The text of an exception failed."),
        static () => "a NUL \0 in the middle",
        static () => "half of a pair: \ud83d",
        static () => new string('x', 3_000_000),
    ];

    /// <summary>One of them; after the last comes a cancellation without a cancelled token.</summary>
    public static Exception Create(int number) => number % (Kinds + 1) is var index && index < Kinds
        ? new OddException(Texts[index])
        : new OperationCanceledException("No token was cancelled.");

    public override string ToString() => _text()!;
}
