using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Support;

/// <summary>Assertions about how the runs of an entry ended.</summary>
internal static class OutcomeAssert
{
    /// <summary>An entry was released and nothing else, at least once. A claim that is in progress when a stop begins may take an entry
    /// that the stop has just released, and releases it again.</summary>
    public static void Released(FakeEntry entry) => Released(entry.Kinds);

    /// <inheritdoc cref="Released(FakeEntry)"/>
    public static void Released(OutcomeKind[] kinds)
    {
        Assert.NotEmpty(kinds);
        Assert.All(kinds, static kind => Assert.Equal(OutcomeKind.Released, kind));
    }
}
