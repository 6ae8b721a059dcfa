using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>Nodes and claims that something else than this library wrote stop no other node.</summary>
public sealed class OddNodeTests : IDisposable
{
    private readonly TemporaryDatabase _files = new();

    [Fact]
    public async Task A_node_with_an_id_of_another_type_stops_no_heartbeat_and_no_sweep()
    {
        var store = await _files.OpenStoreAsync();
        using var session = store.OpenNodeSession();
        var identity = TemporaryDatabase.Identity("node");
        session.Register(identity);
        _files.Execute("""
            insert into taskrecovery_nodes (id, name, named, name_is_explicit, machine, process_id, process_started, started_at, beat_at)
                values ('me', 'me', 0, 0, 'm', 1, 1, 1, 1);
            insert into taskrecovery_nodes (id, name, named, name_is_explicit, machine, process_id, process_started, started_at, beat_at,
                dead_at)
                values (7, 'it', 0, 0, 'm', 1, 1, 1, 1, 1);
            insert into taskrecovery_claims (claimed_at, node, entries, attempts, crashes) select 1, number, '[]', '[]', '[]'
                from taskrecovery_nodes where name = 'it'
            """);

        var heartbeat = session.SendHeartbeat(identity.Id, holdsLock: true, () => true);
        var report = await store.SweepAsync(5, CancellationToken.None);

        Assert.True(heartbeat.Accepted);
        Assert.Empty(heartbeat.Peers);
        Assert.Empty(report.Items);
    }

    [Fact]
    public async Task A_node_with_an_id_of_another_type_hides_no_other_and_goes_with_its_history()
    {
        var store = await _files.OpenStoreAsync();
        var (node, claimer) = OddRows.GivenClaimer(store);
        var ids = await OddRows.EnqueueTwoAsync(store);
        await claimer.ClaimAsync(1, new SuspectAllowance(3, 0, 0), CancellationToken.None);
        _files.Execute($"""
            insert into taskrecovery_nodes (id, name, named, name_is_explicit, machine, process_id, process_started, started_at, beat_at)
                values ('me', 'me', 0, 0, 'm', 1, 1, 1, 1);
            insert into taskrecovery_claims (claimed_at, node, entries, attempts, crashes) select 1, number, '[{ids[1]}]', '[0]', '[0]'
                from taskrecovery_nodes where name = 'me';
            insert into taskrecovery_nodes (id, name, named, name_is_explicit, machine, process_id, process_started, started_at, beat_at,
                dead_at)
                values (7, 'it', 0, 0, 'm', 1, 1, 1, 1, 1);
            insert into taskrecovery_tasks (id, job_id, state, created_at, ended_at) values (x'00', x'00', 2, 1, 1);
            """);
        var monitor = new SqliteMonitorStore(_files.Open());

        var nodes = await monitor.ListNodesAsync(CancellationToken.None);
        var snapshot = await monitor.GetSnapshotAsync(CancellationToken.None);
        var kinds = await monitor.ListKindsAsync(CancellationToken.None);
        var running = await monitor.ListAsync(new EntryQuery { States = [EntryState.Running] }, CancellationToken.None);
        while (await store.PurgeAsync(new RetentionOptions(), CancellationToken.None))
        {
            // Retention works in parts.
        }

        Assert.Equal(node, Assert.Single(nodes).Id);
        Assert.Equal("default", Assert.Single(snapshot.Queues).Name);
        Assert.Equal("work", Assert.Single(kinds).Name);
        Assert.Equal(ids[0], Assert.Single(running.Entries).Id);
        Assert.Equal(0, _files.Read("select count(*) from taskrecovery_nodes where name = 'it'"));
    }

    [Fact]
    public async Task An_entry_that_runs_on_a_node_with_an_id_of_another_type_is_shown_without_its_node()
    {
        var store = await _files.OpenStoreAsync();
        OddRows.GivenClaimer(store);
        var ids = await OddRows.EnqueueTwoAsync(store);
        _files.Execute($"""
            insert into taskrecovery_nodes (id, name, named, name_is_explicit, machine, process_id, process_started, started_at, beat_at)
                values ('me', 'me', 0, 0, 'm', 1, 1, 1, 1);
            insert into taskrecovery_claims (claimed_at, node, entries, attempts, crashes) select 1, number, '[{ids[1]}]', '[0]', '[0]'
                from taskrecovery_nodes where name = 'me';
            delete from taskrecovery_waiting where id = {ids[1]};
            """);
        var monitor = new SqliteMonitorStore(_files.Open());

        var found = await store.FindAsync(ids[1], CancellationToken.None);
        var life = await monitor.GetLifeAsync(ids[1], null, CancellationToken.None);
        var all = await monitor.ListAsync(new EntryQuery(), CancellationToken.None);

        Assert.Equal((EntryState.Running, null, 1), (found!.State, found.Node, found.Attempt));
        Assert.Null(found.StartedAt);
        Assert.Equal((EntryState.Running, null), (life!.Entry.State, life.Claim));
        Assert.Equal(2, all.Entries.Count);
    }

    [Fact]
    public async Task A_claim_whose_counts_are_missing_is_polled_and_swept()
    {
        var store = await _files.OpenStoreAsync();
        var (node, claimer) = OddRows.GivenClaimer(store);
        var (id, _) = (await store.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None))[0];
        await claimer.ClaimAsync(1, new SuspectAllowance(3, 0, 0), CancellationToken.None);
        _files.Execute("update taskrecovery_claims set attempts = '[]', crashes = '[]'");
        _files.Execute("insert into taskrecovery_claims (claimed_at, node, entries, attempts, crashes) "
            + "select 1, number, '[4711]', '[]', '[]' from taskrecovery_nodes");
        await store.CancelAsync(id, new AuditInfo("anna"), CancellationToken.None);

        var poll = await store.PollAsync(new PollRequest(node, ["default"], ["work"], WithUnknownKinds: false), CancellationToken.None);
        _files.Execute("update taskrecovery_nodes set dead_at = 1");
        var report = await store.SweepAsync(5, CancellationToken.None);

        Assert.Equal(id, Assert.Single(poll.CancelRequests));
        Assert.Equal((id, null), (Assert.Single(report.Items).EntryId, report.Failure));
        Assert.Equal(0L, _files.Read("select count(*) from taskrecovery_claims"));
    }

    [Fact]
    public async Task A_node_that_can_t_be_swept_keeps_no_other_node_from_being_swept()
    {
        var store = await _files.OpenStoreAsync();
        var (_, claimer) = OddRows.GivenClaimer(store);
        var (odd, _) = (await store.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None))[0];
        await claimer.ClaimAsync(1, new SuspectAllowance(3, 0, 0), CancellationToken.None);
        var (id, _) = (await store.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None))[0];
        var other = TemporaryDatabase.Identity("other");
        store.OpenNodeSession().Register(other);
        await store.CreateClaimer(other.Id, "default", ["work"]).ClaimAsync(
            1, new SuspectAllowance(3, 0, 0), CancellationToken.None);
        _files.Execute("update taskrecovery_nodes set dead_at = 1");
        _files.Execute($"create trigger odd before insert on taskrecovery_outcomes when new.entry = {odd} "
            + "begin select raise(abort, 'odd'); end");

        var report = await store.SweepAsync(5, CancellationToken.None);

        Assert.Equal(id, Assert.Single(report.Items).EntryId);
        Assert.NotNull(report.Failure);
    }

    [Fact]
    public async Task A_claim_that_can_t_be_read_hides_no_running_entry_of_another_claim()
    {
        var store = await _files.OpenStoreAsync();
        var (_, claimer) = OddRows.GivenClaimer(store);
        var (id, _) = (await store.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None))[0];
        await claimer.ClaimAsync(1, new SuspectAllowance(3, 0, 0), CancellationToken.None);
        _files.Execute("insert into taskrecovery_claims (claimed_at, node, entries, attempts, crashes) "
            + "select 1, number, '[4711]', '[]', '[]' from taskrecovery_nodes");

        var running = await store.FindAsync(id, CancellationToken.None);
        var erased = await store.EraseAsync(EraseTarget.Entry(id), new AuditInfo("anna"), CancellationToken.None);
        var ended = await store.FindAsync(id, CancellationToken.None);

        Assert.Equal((EntryState.Running, "node", 1), (running!.State, running.Node, running.Attempt));
        Assert.Equal(1, erased);
        Assert.Equal((EntryState.Cancelled, EndReasons.Erased), (ended!.State, ended.Reason));
    }

    [Fact]
    public async Task A_claim_that_can_t_be_read_breaks_no_life_and_no_cancellation_of_another_running_entry()
    {
        var store = await _files.OpenStoreAsync();
        var (_, claimer) = OddRows.GivenClaimer(store);
        var (id, _) = (await store.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None))[0];
        var fence = (await claimer.ClaimAsync(1, new SuspectAllowance(3, 0, 0), CancellationToken.None)).Fence;
        _files.Execute("insert into taskrecovery_claims (claimed_at, node, entries, attempts, crashes) "
            + "select 1, number, '[4711]', '[]', '[]' from taskrecovery_nodes");
        var database = _files.Open();
        await _files.Store(database).PrepareAsync(CancellationToken.None);
        var monitor = new SqliteMonitorStore(database);
        var operations = new SqliteOperationStore(database, monitor);
        var audit = new AuditInfo("anna");

        var life = await monitor.GetLifeAsync(id, null, CancellationToken.None);
        var operation = await operations.PrepareAsync(
            new NewOperation { Action = BulkAction.Cancel, EntryIds = [id], Expected = new Count(1) }, audit, CancellationToken.None);
        await operations.StartAsync(operation.Id, audit, TimeSpan.FromMinutes(10), CancellationToken.None);
        var step = await operations.StepAsync(operation.Id, CancellationToken.None);

        Assert.Equal((EntryState.Running, fence), (life!.Entry.State, life.Claim!.Fence));
        Assert.Equal((OperationState.Ended, 1L), (step.Operation!.State, step.Operation.Done));
        Assert.Equal(fence, _files.Read($"select fence from taskrecovery_operation_entries where entry = {id}"));
    }

    public void Dispose() => _files.Dispose();
}
