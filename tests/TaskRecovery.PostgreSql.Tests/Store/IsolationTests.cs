using Npgsql;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>Statements that wait for each other's locks have to see what was committed meanwhile: read committed, whatever the
/// default.</summary>
public sealed class IsolationTests : PostgreSqlStoreTests
{
    private protected override bool StartMigrated => false;

    [Theory]
    [InlineData("repeatable read")]
    [InlineData("serializable")]
    public async Task Runs_that_start_at_once_do_not_overlap_whatever_the_databases_default(string level)
    {
        await GivenDefaultAsync(level);
        var database = Open();
        var store = await OpenStoreAsync(database);
        var jobs = new PostgreSqlJobStore(database, store);
        var far = DateTimeOffset.UtcNow.AddYears(1);
        var job = await jobs.UpsertAsync(new NewJob(
            new JobDefinition("report", Schedule.Every(TimeSpan.FromHours(1))) { StartAt = far },
            "report", "task:report", "{}"u8.ToArray(), 10), Cancellation);
        await jobs.TriggerAsync(job.Id, null, Cancellation);
        await jobs.TriggerAsync(job.Id, null, Cancellation);
        var identity = Identity();
        using var node = store.OpenNodeSession();
        node.Register(identity);
        var batch = await store.CreateClaimer(identity.Id, "default", ["task:report"]).ClaimAsync(
            10, new SuspectAllowance(3, 1000, 1), Cancellation);
        await using var holder = new NpgsqlConnection(ConnectionString);
        await holder.OpenAsync(Cancellation);
        await using var transaction = await holder.BeginTransactionAsync(Cancellation);
        await using var hold = new NpgsqlCommand("select from taskrecovery.jobs for update", holder);
        await hold.ExecuteNonQueryAsync(Cancellation);

        // Each has a store of its own, as on two nodes: one store would put both starts into one transaction.
        var starting = batch.Entries.Select(entry => new PostgreSqlJobStore(database, store).StartTaskAsync(
            new TaskStartRequest(identity.Id, entry.Id, batch.Fence, job.Id, null, 1, entry.Kind), Cancellation)).ToArray();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (await ScalarAsync<long>(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'") < 2)
        {
            await timer.WaitForNextTickAsync(Cancellation);
        }

        await transaction.RollbackAsync(Cancellation);

        var starts = await Task.WhenAll(starting);
        Assert.Equal([TaskStartDecision.Started, TaskStartDecision.Skip], starts.Select(start => start.Decision).Order());
    }

    [Fact]
    public async Task A_default_that_cannot_be_changed_from_here_is_the_users_to_correct()
    {
        await GivenDefaultAsync("repeatable read");
        await using var shared = NpgsqlDataSource.Create(ConnectionString);
        using var theirs = new PostgreSqlDatabase(new PostgreSqlConnectionSource(null, shared), new PostgreSqlOptions(), Lease);

        var ofTheirs = await Assert.ThrowsAsync<StoreConfigurationException>(() => OpenStoreAsync(theirs));
        var behindPooler = await Assert.ThrowsAsync<StoreConfigurationException>(
            () => OpenStoreAsync(Open(options => options.UseSessionLocks = false)));

        Assert.All(new[] { ofTheirs, behindPooler }, exception =>
        {
            Assert.Contains("'repeatable read'", exception.Message, StringComparison.Ordinal);
            Assert.Contains("set default_transaction_isolation = 'read committed'", exception.Message, StringComparison.Ordinal);
        });
        Assert.False(await ScalarAsync<bool>("select exists (select from pg_namespace where nspname = 'taskrecovery')"));
    }

    [Fact]
    public async Task What_the_message_says_helps()
    {
        await GivenDefaultAsync("repeatable read");
        await using var shared = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(ConnectionString) { Options = @"-c default_transaction_isolation=read\ committed" });
        using var theirs = new PostgreSqlDatabase(new PostgreSqlConnectionSource(null, shared), new PostgreSqlOptions(), Lease);
        await OpenStoreAsync(theirs);

        await ExecuteAsync(
            "do $$ begin execute format('alter role current_user in database %I set default_transaction_isolation = ''read committed''', "
            + "current_database()); end $$");

        await OpenStoreAsync(Open(options => options.UseSessionLocks = false));
    }

    private Task GivenDefaultAsync(string level)
        => ExecuteAsync(
            $"do $$ begin execute format('alter database %I set default_transaction_isolation = ''{level}''', current_database()); end $$");
}
