namespace TaskRecovery.StoreConformance;

/// <summary>Tests the store's tables: the first process to start creates them, once, and they stay unchanged if they belong to a newer
/// library.</summary>
public abstract class MigrationTests(StoreFixture fixture) : StoreTests(fixture)
{
    protected override bool StartMigrated => false;

    [Fact]
    public async Task An_empty_place_gets_every_migration_once()
    {
        var first = await Fixture.Migrator.MigrateAsync(Cancellation);
        var second = await Fixture.Migrator.MigrateAsync(Cancellation);

        Assert.NotEmpty(first);
        Assert.Empty(second);
        await GivenEntryAsync();
    }

    [Fact]
    public async Task Many_that_start_at_once_apply_each_migration_once()
    {
        var applied = await Task.WhenAll(
            Enumerable.Range(0, 6).Select(_ => Task.Run(() => Fixture.Migrator.MigrateAsync(Cancellation), Cancellation)));

        var names = applied.SelectMany(one => one).ToArray();
        Assert.NotEmpty(names);
        Assert.Equal(names.Distinct(StringComparer.Ordinal), names, StringComparer.Ordinal);
        await GivenEntryAsync();
    }

    [Fact]
    public async Task Preparing_makes_the_tables_ready_and_can_be_repeated()
    {
        await Store.PrepareAsync(Cancellation);
        await Store.PrepareAsync(Cancellation);

        await GivenEntryAsync();
        Assert.Empty(await Fixture.Migrator.MigrateAsync(Cancellation));
    }

    [Fact]
    public async Task Tables_that_need_a_newer_library_are_refused_and_left_alone()
    {
        await Fixture.Migrator.MigrateAsync(Cancellation);
        var id = await GivenEntryAsync();
        await Fixture.AddFutureMigrationAsync(Cancellation);

        await Assert.ThrowsAsync<StoreConfigurationException>(() => Fixture.Migrator.MigrateAsync(Cancellation));
        await Assert.ThrowsAsync<StoreConfigurationException>(() => Fixture.OpenAnother().PrepareAsync(Cancellation));

        Assert.Equal(EntryState.Waiting, await StateAsync(id));
    }
}
