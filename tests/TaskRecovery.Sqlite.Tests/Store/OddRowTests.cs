using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>Rows that something else than this library wrote stop no queue.</summary>
public sealed class OddRowTests : IDisposable
{
    private readonly TemporaryDatabase _files = new();

    [Theory]
    [InlineData("taskrecovery_entries set timeout = '1 month'", "timeout")]
    [InlineData("taskrecovery_entries set kind = (select id from taskrecovery_kinds where name = 'other')", "kind")]
    [InlineData("taskrecovery_entries set created_at = 9223372036854775807", "created_at")]
    [InlineData("taskrecovery_entries set timeout = -1", "timeout")]
    [InlineData("taskrecovery_entries set timeout = 3888000000001", "timeout")]
    [InlineData("taskrecovery_entries set priority = 12", "priority")]
    [InlineData("taskrecovery_entries set priority = 'high'", "priority")]
    [InlineData("taskrecovery_entries set max_attempts = 0", "max_attempts")]
    [InlineData("taskrecovery_entries set max_attempts = 1.5", "max_attempts")]
    [InlineData("taskrecovery_entries set created_at = 'now'", "created_at")]
    [InlineData("taskrecovery_entries set expires_at = 'never'", "expires_at")]
    [InlineData("taskrecovery_entries set kind = x'00'", "kind")]
    [InlineData("taskrecovery_entries set args = hex(zeroblob(35000000))", "bytes")]
    [InlineData("taskrecovery_entries set args = zeroblob(70000000)", "bytes")]
    [InlineData("taskrecovery_entries set metadata = hex(zeroblob(35000000))", "bytes")]
    [InlineData("taskrecovery_entries set trace_parent = hex(zeroblob(35000000))", "bytes")]
    [InlineData("taskrecovery_entries set args = x'ff00'", null)]
    [InlineData("taskrecovery_entries set args = 5", null)]
    [InlineData("taskrecovery_entries set metadata = x'ff', trace_parent = 1.5, unique_key = 5", null)]
    [InlineData("taskrecovery_waiting set attempt = 'one', crashes = x'00'", null)]
    [InlineData("taskrecovery_waiting set run_at = -9223372036854775808", null)]
    public async Task A_row_that_can_t_be_read_ends_alone(string change, string? problem)
    {
        var store = await _files.OpenStoreAsync();
        var entries = new[] { TemporaryDatabase.Entry(), TemporaryDatabase.Entry(), TemporaryDatabase.Entry() with
        {
            Kind = "other",
        }, TemporaryDatabase.Entry() };
        var ids = (await store.EnqueueAsync(entries, null, CancellationToken.None)).Select(result => result.Id).ToArray();
        _files.Execute($"update {change} where id = {ids[1]}");
        var (node, claimer) = GivenClaimer(store);

        var batch = await claimer.ClaimAsync(10, new SuspectAllowance(3, 0, 0), CancellationToken.None);

        Assert.Equal([ids[0], ids[1], ids[3]], batch.Entries.Select(entry => entry.Id).Order());
        foreach (var entry in batch.Entries)
        {
            Assert.Equal(entry.Id == ids[1] ? problem : null, entry.Problem is { } text ? text.Split(' ').First(word => word is "timeout"
                or "kind" or "created_at" or "priority" or "max_attempts" or "expires_at" or "bytes") : null);
            Assert.InRange(entry.Args.Length, 0, 10);
        }

        Assert.Empty(await store.FinishAsync(
            node, [.. batch.Entries.Select(
                entry => new RunOutcome { EntryId = entry.Id, Fence = batch.Fence, Kind = OutcomeKind.Failed, IsTask = true })],
            CancellationToken.None));
    }

    [Theory]
    [InlineData("9223372036854775807")]
    [InlineData("922337203685477581")]
    public async Task A_time_without_end_fails_nothing_and_wakes_nobody(string time)
    {
        var store = await _files.OpenStoreAsync();
        var ids = await EnqueueTwoAsync(store);
        _files.Execute($"update taskrecovery_waiting set run_at = {time} where id = {ids[0]}");
        var (node, claimer) = GivenClaimer(store);

        var poll = await store.PollAsync(new PollRequest(node, ["default"], ["work"], WithUnknownKinds: false), CancellationToken.None);
        var batch = await claimer.ClaimAsync(10, new SuspectAllowance(3, 0, 0), CancellationToken.None);
        var nothing = await claimer.ClaimAsync(10, new SuspectAllowance(3, 0, 0), CancellationToken.None);
        var page = await store.ListAsync(new EntryFilter(), CancellationToken.None);

        Assert.Equal(ids[1], Assert.Single(batch.Entries).Id);
        Assert.Equal(2, page.Entries.Count);
        Assert.All([poll.NextDue, nothing.NextDue], static next => Assert.True(next > TimeSpan.FromDays(36_500)));
    }

    [Fact]
    public async Task A_kind_that_is_not_in_the_table_of_kinds_stops_no_other()
    {
        var store = await _files.OpenStoreAsync();
        var ids = await EnqueueTwoAsync(store);
        _files.Execute($"update taskrecovery_waiting set kind = 4711 where id = {ids[0]}");
        var (node, claimer) = GivenClaimer(store);

        var poll = await store.PollAsync(new PollRequest(node, ["default"], ["work"], WithUnknownKinds: true), CancellationToken.None);
        var batch = await claimer.ClaimAsync(10, new SuspectAllowance(3, 0, 0), CancellationToken.None);

        Assert.Equal("default", Assert.Single(poll.DueQueues));
        Assert.Equal("#4711", Assert.Single(poll.UnknownKinds));
        Assert.Equal(ids[1], Assert.Single(batch.Entries).Id);
    }

    [Fact]
    public async Task A_cancel_request_makes_a_poll_read_no_claim_of_another_node()
    {
        var store = await _files.OpenStoreAsync();
        var ids = await EnqueueTwoAsync(store);
        var (node, claimer) = GivenClaimer(store);
        var (_, other) = GivenClaimer(store);
        await claimer.ClaimAsync(1, new SuspectAllowance(3, 0, 0), CancellationToken.None);
        await other.ClaimAsync(1, new SuspectAllowance(3, 0, 0), CancellationToken.None);
        await store.CancelAsync(ids[0], new AuditInfo("test"), CancellationToken.None);
        await store.CancelAsync(ids[1], new AuditInfo("test"), CancellationToken.None);
        _files.Execute($"update taskrecovery_claims set attempts = '[]' where entries = '[{ids[1]}]'");

        var poll = await store.PollAsync(new PollRequest(node, ["default"], ["work"], WithUnknownKinds: false), CancellationToken.None);

        Assert.Equal(ids[0], Assert.Single(poll.CancelRequests));
    }

    [Theory]
    [InlineData("queue", "'main'")]
    [InlineData("kind", "'work'")]
    [InlineData("kind", "x'00'")]
    [InlineData("kind", "0.5")]
    [InlineData("priority", "'high'")]
    [InlineData("priority", "x'ff'")]
    [InlineData("priority", "-0.5")]
    [InlineData("run_at", "'soon'")]
    [InlineData("run_at", "x''")]
    [InlineData("run_at", "1e300")]
    public async Task A_waiting_row_with_a_value_of_another_type_ends_and_stops_no_poll(string column, string value)
    {
        var store = await _files.OpenStoreAsync();
        var ids = await EnqueueTwoAsync(store);
        _files.Execute($"update taskrecovery_waiting set {column} = {value} where id = {ids[0]}");
        var (node, claimer) = GivenClaimer(store);
        var request = new PollRequest(node, ["default"], ["work"], WithUnknownKinds: false);

        // A search that reads the value as 0 never ends.
        var batch = await Task
            .Run(() => claimer.ClaimAsync(10, new SuspectAllowance(3, 0, 0), CancellationToken.None).AsTask())
            .WaitAsync(TimeSpan.FromSeconds(60));
        var poll = await Task.Run(() => store.PollAsync(request, CancellationToken.None).AsTask()).WaitAsync(TimeSpan.FromSeconds(60));
        while (await store.PurgeAsync(new RetentionOptions(), CancellationToken.None))
        {
            // Retention works in parts.
        }

        Assert.Equal(ids[1], Assert.Single(batch.Entries).Id);
        Assert.Empty(poll.DueQueues);
        Assert.Null(poll.NextDue);
        Assert.Equal(
            ids[0], _files.Read($"select entry from taskrecovery_outcomes where reason = 'unreadable' and error like '%{column}%'"));
        Assert.Empty(await store.CheckInvariantsAsync(CancellationToken.None));
    }

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
        var (node, claimer) = GivenClaimer(store);
        var ids = await EnqueueTwoAsync(store);
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
        GivenClaimer(store);
        var ids = await EnqueueTwoAsync(store);
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

    [Theory]
    [InlineData("kind", "'mail'", EntryGrouping.Kind, "#mail")]
    [InlineData("kind", "0.5", EntryGrouping.Kind, "#0.5")]
    [InlineData("queue", "'main'", EntryGrouping.Queue, "#main")]
    public async Task A_name_with_a_number_of_another_type_is_a_group_of_its_own(
        string column, string value, EntryGrouping by, string expected)
    {
        var store = await _files.OpenStoreAsync();
        var ids = await EnqueueTwoAsync(store);
        _files.Execute($"update taskrecovery_entries set {column} = {value} where id = {ids[0]}");

        var groups = await new SqliteMonitorStore(_files.Open()).GroupAsync(new EntryQuery(), by, CancellationToken.None);

        Assert.Equal(2, groups.Groups.Count);
        Assert.Contains(groups.Groups, group => group.Key == expected && group.Entries.Value == 1);
    }

    [Theory]
    [InlineData("duration = 9223372036854775807")]
    [InlineData("duration = -9223372036854775808")]
    [InlineData("ended_at = -9223372036854775808, duration = 1")]
    [InlineData("ended_at = 9223372036854775807, duration = -1")]
    public async Task A_run_with_a_time_out_of_range_can_be_shown(string change)
    {
        var store = await _files.OpenStoreAsync();
        var (node, claimer) = GivenClaimer(store);
        var ids = await EnqueueTwoAsync(store);
        var batch = await claimer.ClaimAsync(10, new SuspectAllowance(3, 0, 0), CancellationToken.None);
        await store.FinishAsync(
            node, [.. ids.Select(id => new RunOutcome { EntryId = id, Fence = batch.Fence, Kind = OutcomeKind.Failed })],
            CancellationToken.None);
        _files.Execute($"update taskrecovery_outcomes set {change} where entry = {ids[0]}");
        var monitor = new SqliteMonitorStore(_files.Open());

        var listed = await monitor.ListAsync(new EntryQuery(), CancellationToken.None);
        var life = await monitor.GetLifeAsync(ids[0], null, CancellationToken.None);

        Assert.Equal(2, listed.Entries.Count);
        Assert.Single(life!.Runs);
    }

    [Fact]
    public async Task An_entry_that_was_due_before_all_time_is_the_oldest_one()
    {
        var store = await _files.OpenStoreAsync();
        var ids = await EnqueueTwoAsync(store);
        _files.Execute($"update taskrecovery_waiting set run_at = -9223372036854775808 where id = {ids[0]}");
        var monitor = new SqliteMonitorStore(_files.Open());

        var depth = Assert.Single(await store.MeasureAsync(CancellationToken.None));
        var queue = Assert.Single((await monitor.GetSnapshotAsync(CancellationToken.None)).Queues);

        Assert.Equal(2, depth.Due);
        Assert.True(depth.OldestAge > TimeSpan.FromDays(18_000));
        Assert.True(queue.OldestDue > TimeSpan.FromDays(18_000));
    }

    [Fact]
    public async Task A_claim_whose_counts_are_missing_is_polled_and_swept()
    {
        var store = await _files.OpenStoreAsync();
        var (node, claimer) = GivenClaimer(store);
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
        var (_, claimer) = GivenClaimer(store);
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
        var (_, claimer) = GivenClaimer(store);
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
        var (_, claimer) = GivenClaimer(store);
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

    [Fact]
    public async Task An_entry_outside_of_the_scope_is_missing_even_if_it_can_t_be_read()
    {
        var store = await _files.OpenStoreAsync();
        var (node, claimer) = GivenClaimer(store);
        var (id, _) = (await store.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None))[0];
        var batch = await claimer.ClaimAsync(1, new SuspectAllowance(3, 0, 0), CancellationToken.None);
        var outcome = new RunOutcome { EntryId = id, Fence = batch.Fence, Kind = OutcomeKind.Failed };
        await store.FinishAsync(node, [outcome], CancellationToken.None);
        _files.Execute("drop table taskrecovery_steps");
        var monitor = new SqliteMonitorStore(_files.Open());

        var life = await monitor.GetLifeAsync(id, new EntryScope { Queues = ["another"] }, CancellationToken.None);

        Assert.Null(life);
        await Assert.ThrowsAnyAsync<Exception>(() => monitor.GetLifeAsync(id, null, CancellationToken.None).AsTask());
    }

    public void Dispose() => _files.Dispose();

    private static async Task<long[]> EnqueueTwoAsync(SqliteQueueStore store)
        => [.. (await store.EnqueueAsync([TemporaryDatabase.Entry(), TemporaryDatabase.Entry()], null, CancellationToken.None))
            .Select(static result => result.Id)];

    private (Guid Node, IQueueClaimer Claimer) GivenClaimer(SqliteQueueStore store)
    {
        var identity = TemporaryDatabase.Identity("node");
        store.OpenNodeSession().Register(identity);
        return (identity.Id, store.CreateClaimer(identity.Id, "default", ["work"]));
    }
}
