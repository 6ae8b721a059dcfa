using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>The sweep of a node that ran much.</summary>
public sealed class LargeSweepTests : IDisposable
{
    private const int Entries = 1500;

    private readonly TemporaryDatabase _files = new();

    [Fact]
    public async Task Many_entries_are_recovered_in_several_transactions_and_no_suspect_is_taken_for_the_only_one()
    {
        var (database, other) = (_files.Open(), await _files.OpenStoreAsync());
        var store = _files.Store(database);
        await store.PrepareAsync(CancellationToken.None);
        using var watcher = TemporaryDatabase.Join(other, "watcher", out var watcherId);
        var worker = TemporaryDatabase.Join(store, "worker", out var id);
        await store.EnqueueAsync(
            [.. Enumerable.Range(0, Entries).Select(static _ => TemporaryDatabase.Entry())], null, CancellationToken.None);
        _files.Execute($"update taskrecovery_waiting set crashes = 3, priority = {CrashLevels.LastChance(3)} where id in (10, 1400)");
        var claim = await store.CreateClaimer(id, "default", ["work"]).ClaimAsync(
            Entries, new SuspectAllowance(3, 2, 2), CancellationToken.None);
        worker.SendHeartbeat(id, true, vitals: new string('v', 7000));
        worker.Dispose();
        var peer = Assert.Single(watcher.SendHeartbeat(watcherId, true).Peers, peer => peer.NodeId == id);
        Assert.Equal([id], watcher.MarkDead([peer]));
        var before = database.Writer.Commits;

        var report = await store.SweepAsync(3, CancellationToken.None);

        Assert.Equal(Entries, claim.Entries.Count);
        Assert.InRange(database.Writer.Commits - before, 3, 200);
        Assert.Equal(Enumerable.Range(1, Entries), report.Items.Select(static item => (int)item.EntryId!.Value).Order());
        Assert.All(report.Items, static item => Assert.Equal(RecoveryAction.Recovered, item.Action));
        Assert.Equal(Entries, (await store.CountAsync(null, CancellationToken.None)).Due.Value);
        Assert.Empty(await store.ListClaimsAsync(id, CancellationToken.None));
        Assert.Empty(await store.CheckInvariantsAsync(CancellationToken.None));
    }

    public void Dispose() => _files.Dispose();
}
