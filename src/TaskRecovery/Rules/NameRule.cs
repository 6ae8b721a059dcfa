using System.Text;

namespace TaskRecovery.Rules;

/// <summary>The rule of one kind of name.</summary>
/// <param name="MaxBytes">The longest name, in bytes of UTF-8.</param>
internal sealed record NameRule(int MaxBytes)
{
    /// <summary>Whether a name may consist of blanks.</summary>
    public bool MayBeBlank { get; init; }

    /// <summary>Whether a name may contain <c>*</c>. In a filter, it stands for the rest of a kind: a kind with that name could not be told
    /// from a filter that selects other kinds too.</summary>
    public bool MayHaveStar { get; init; } = true;

    /// <summary>Returns why a text can't be the name, and the remedy, as the end of a sentence; <see langword="null"/> if it can.</summary>
    public string? Problem(string? name)
    {
        if (string.IsNullOrEmpty(name) || (!MayBeBlank && string.IsNullOrWhiteSpace(name)))
        {
            return $"is empty: give it 1 to {MaxBytes} bytes of UTF-8";
        }

        if (EntryText.Problem(name) is { } problem)
        {
            return $"{problem}: remove it";
        }

        if (!MayHaveStar && name.Contains('*', StringComparison.Ordinal))
        {
            return "has a '*', which stands for the rest of a kind in a filter: use another character";
        }

        return Encoding.UTF8.GetByteCount(name) is var bytes && bytes > MaxBytes
            ? $"has {bytes} bytes of UTF-8: shorten it to at most {MaxBytes} bytes"
            : null;
    }

    /// <summary>Checks a name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="what">What it names, as the begin of a sentence.</param>
    /// <param name="parameter">The parameter that has the name.</param>
    /// <exception cref="ArgumentException">The text can't be the name.</exception>
    public void Check(string? name, string what, string parameter)
    {
        if (Problem(name) is { } problem)
        {
            throw new ArgumentException($"{what} '{EntryText.Shown(name ?? string.Empty)}' {problem}.", parameter);
        }
    }
}
