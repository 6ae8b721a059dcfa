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

    [Fact]
    public async Task The_state_of_every_migration_is_reported_without_changing_anything()
    {
        var before = await Fixture.Migrator.GetStatusAsync(Cancellation);
        var applied = await Fixture.Migrator.MigrateAsync(Cancellation);
        var after = await Fixture.Migrator.GetStatusAsync(Cancellation);
        await Fixture.AddFutureMigrationAsync(Cancellation);
        var future = await Fixture.Migrator.GetStatusAsync(Cancellation);

        Assert.All(before, status => Assert.Equal((MigrationState.Missing, null), (status.State, status.AppliedAt)));
        Assert.Equal(applied, before.Select(status => status.Name));
        Assert.All(after, status => Assert.Equal(MigrationState.Applied, status.State));
        Assert.All(after, status => Assert.NotNull(status.AppliedAt));
        Assert.Equal(after.Count + 1, future.Count);
        Assert.Equal(MigrationState.TooNew, future[^1].State);
    }

    [Fact]
    public async Task A_script_begins_with_a_migration_that_exists()
    {
        await Fixture.Migrator.MigrateAsync(Cancellation);
        var all = await Fixture.Migrator.GetStatusAsync(Cancellation);

        var whole = await Fixture.Migrator.GetScriptAsync(cancellationToken: Cancellation);
        var last = await Fixture.Migrator.GetScriptAsync(all[^1].Version, Cancellation);
        var beyond = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => Fixture.Migrator.GetScriptAsync(all[^1].Version + 1, Cancellation));

        Assert.All(all, status => Assert.Contains($"'{status.Name}'", whole, StringComparison.Ordinal));
        Assert.Equal([all[^1].Name], all.Select(status => status.Name).Where(name => last.Contains($"'{name}'", StringComparison.Ordinal)));
        Assert.StartsWith(
            $"There is no migration {all[^1].Version + 1}: use 1 to {all[^1].Version}.", beyond.Message, StringComparison.Ordinal);
    }
}
