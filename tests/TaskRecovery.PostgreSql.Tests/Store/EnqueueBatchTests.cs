using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>Which entries are stored by one array of args: all else that they share is sent once.</summary>
public sealed class EnqueueBatchTests
{
    private static readonly NewEntry First =
        new() { Kind = "kind", Queue = "queue", Priority = 5, MaxAttempts = 3, Args = "1"u8.ToArray() };

    // Those with a unique key or an expiry are stored by another statement, whether they are alike or not.
    private static readonly string[] NotCompared = [nameof(NewEntry.Args), nameof(NewEntry.UniqueKey), nameof(NewEntry.ExpiresAt)];

    private static readonly Dictionary<string, NewEntry> Others = new(StringComparer.Ordinal)
    {
        [nameof(NewEntry.Kind)] = First with { Kind = "another" },
        [nameof(NewEntry.Queue)] = First with { Queue = "another" },
        [nameof(NewEntry.Priority)] = First with { Priority = 6 },
        [nameof(NewEntry.MaxAttempts)] = First with { MaxAttempts = 4 },
        [nameof(NewEntry.RunAt)] = First with { RunAt = DateTimeOffset.UnixEpoch },
        [nameof(NewEntry.RunAfter)] = First with { RunAfter = TimeSpan.FromSeconds(1) },
        [nameof(NewEntry.Timeout)] = First with { Timeout = TimeSpan.FromSeconds(1) },
        [nameof(NewEntry.Metadata)] = First with { Metadata = "{}" },
        [nameof(NewEntry.TraceParent)] = First with { TraceParent = "00" },
    };

    [Fact]
    public void Entries_with_other_args_are_alike()
        => Assert.True(EnqueueBatch.AreAlike([First, First with { Args = "2"u8.ToArray() }, First]));

    [Fact]
    public void Entries_that_differ_in_anything_else_are_not()
    {
        Assert.Equal(
            typeof(NewEntry).GetProperties().Select(static property => property.Name).Except(NotCompared).Order(StringComparer.Ordinal),
            Others.Keys.Order(StringComparer.Ordinal));
        Assert.All(Others.Values, static other => Assert.False(EnqueueBatch.AreAlike([First, other])));
    }
}
