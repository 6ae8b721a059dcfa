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
        var (node, claimer) = OddRows.GivenClaimer(store);

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
        var ids = await OddRows.EnqueueTwoAsync(store);
        _files.Execute($"update taskrecovery_waiting set run_at = {time} where id = {ids[0]}");
        var (node, claimer) = OddRows.GivenClaimer(store);

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
        var ids = await OddRows.EnqueueTwoAsync(store);
        _files.Execute($"update taskrecovery_waiting set kind = 4711 where id = {ids[0]}");
        var (node, claimer) = OddRows.GivenClaimer(store);

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
        var ids = await OddRows.EnqueueTwoAsync(store);
        var (node, claimer) = OddRows.GivenClaimer(store);
        var (_, other) = OddRows.GivenClaimer(store);
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
        var ids = await OddRows.EnqueueTwoAsync(store);
        _files.Execute($"update taskrecovery_waiting set {column} = {value} where id = {ids[0]}");
        var (node, claimer) = OddRows.GivenClaimer(store);
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

    [Theory]
    [InlineData("kind", "'mail'", EntryGrouping.Kind, "#mail")]
    [InlineData("kind", "0.5", EntryGrouping.Kind, "#0.5")]
    [InlineData("queue", "'main'", EntryGrouping.Queue, "#main")]
    public async Task A_name_with_a_number_of_another_type_is_a_group_of_its_own(
        string column, string value, EntryGrouping by, string expected)
    {
        var store = await _files.OpenStoreAsync();
        var ids = await OddRows.EnqueueTwoAsync(store);
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
        var (node, claimer) = OddRows.GivenClaimer(store);
        var ids = await OddRows.EnqueueTwoAsync(store);
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
        var ids = await OddRows.EnqueueTwoAsync(store);
        _files.Execute($"update taskrecovery_waiting set run_at = -9223372036854775808 where id = {ids[0]}");
        var monitor = new SqliteMonitorStore(_files.Open());

        var depth = Assert.Single(await store.MeasureAsync(CancellationToken.None));
        var queue = Assert.Single((await monitor.GetSnapshotAsync(CancellationToken.None)).Queues);

        Assert.Equal(2, depth.Due);
        Assert.True(depth.OldestAge > TimeSpan.FromDays(18_000));
        Assert.True(queue.OldestDue > TimeSpan.FromDays(18_000));
    }

    [Fact]
    public async Task An_entry_outside_of_the_scope_is_missing_even_if_it_can_t_be_read()
    {
        var store = await _files.OpenStoreAsync();
        var (node, claimer) = OddRows.GivenClaimer(store);
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
}
