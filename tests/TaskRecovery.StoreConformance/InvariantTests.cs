namespace TaskRecovery.StoreConformance;

/// <summary>Tests that every store keeps the invariant (every entry is in exactly one state: waiting, running or ended) and reports
/// violations of it.</summary>
public abstract class InvariantTests(StoreFixture fixture) : StoreTests(fixture)
{
    [Fact]
    public async Task The_invariant_holds_in_an_empty_store()
        => Assert.Empty(await Store.CheckInvariantsAsync(Cancellation));

    [Theory]
    [InlineData(Corruption.WaitingLost)]
    [InlineData(Corruption.RunningAndWaiting)]
    [InlineData(Corruption.EndedAndWaiting)]
    [InlineData(Corruption.ClaimLost)]
    [InlineData(Corruption.RunningTwice)]
    [InlineData(Corruption.WaitingAndEnded)]
    [InlineData(Corruption.NameLost)]
    [InlineData(Corruption.WaitingElsewhere)]
    [InlineData(Corruption.EntryLost)]
    public async Task A_broken_entry_is_found_and_named(Corruption corruption)
    {
        BreaksTheInvariant = true;
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 3);
        await FinishAsync(node, Outcome(ids[0], fence), Outcome(ids[2], fence));
        await GivenClaimedAsync(node);
        var id = corruption switch
        {
            Corruption.WaitingLost or Corruption.WaitingAndEnded or Corruption.NameLost or Corruption.WaitingElsewhere
                or Corruption.EntryLost => await GivenEntryAsync(),
            Corruption.EndedAndWaiting => ids[0],
            _ => ids[1],
        };
        await GivenEntriesAsync(5);
        Assert.Empty(await Store.CheckInvariantsAsync(Cancellation));

        await Fixture.CorruptAsync(corruption, id, Cancellation);

        var violation = Assert.Single(await Store.CheckInvariantsAsync(Cancellation));
        Assert.Contains(id.ToString(System.Globalization.CultureInfo.InvariantCulture), violation, StringComparison.Ordinal);
    }
}
