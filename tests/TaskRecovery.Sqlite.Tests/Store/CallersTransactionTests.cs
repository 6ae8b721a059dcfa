using Microsoft.Data.Sqlite;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>What is the same in every store is in the conformance suite; here is what only SQLite can get wrong.</summary>
public sealed class CallersTransactionTests : IDisposable
{
    private readonly TemporaryDatabase _files = new();

    [Fact]
    public async Task A_transaction_on_another_file_is_refused()
    {
        var store = await _files.OpenStoreAsync();
        using var elsewhere = new TemporaryDatabase();
        await elsewhere.OpenStoreAsync();
        await using var transaction = await elsewhere.Connect().BeginTransactionAsync();

        var error = await Assert.ThrowsAsync<ArgumentException>(async () => await store.EnqueueAsync([TemporaryDatabase.Entry()], transaction, CancellationToken.None));

        Assert.Contains(elsewhere.File, error.Message, StringComparison.Ordinal);
        Assert.Contains(_files.File, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_transaction_through_a_link_to_the_file_is_taken()
    {
        var store = await _files.OpenStoreAsync();
        var link = Path.Combine(_files.Folder, "link.db");
        File.CreateSymbolicLink(link, _files.File);
        await using var connection = new SqliteConnection($"Data Source={link};Pooling=False");
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();

        await store.EnqueueAsync([TemporaryDatabase.Entry()], transaction, CancellationToken.None);
        await transaction.CommitAsync();

        Assert.Equal(1, (await store.CountAsync(null, CancellationToken.None)).Waiting);
    }

    [Fact]
    public async Task An_ended_transaction_is_refused()
    {
        var store = await _files.OpenStoreAsync();
        await using var transaction = await _files.Connect().BeginTransactionAsync();
        await transaction.CommitAsync();

        await Assert.ThrowsAsync<ArgumentException>(async () => await store.EnqueueAsync([TemporaryDatabase.Entry()], transaction, CancellationToken.None));
    }

    [Fact]
    public async Task A_new_kind_of_a_transaction_that_was_rolled_back_is_not_remembered()
    {
        var store = await _files.OpenStoreAsync();
        await using (var transaction = await _files.Connect().BeginTransactionAsync())
        {
            await store.EnqueueAsync([TemporaryDatabase.Entry() with { Kind = "passing" }], transaction, CancellationToken.None);
        }

        await store.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None);
        var result = Assert.Single(await store.EnqueueAsync([TemporaryDatabase.Entry() with { Kind = "passing" }], null, CancellationToken.None));

        Assert.Equal("passing", (await store.FindAsync(result.Id, CancellationToken.None))!.Kind);
        Assert.Equal("work", (await store.FindAsync(result.Id - 1, CancellationToken.None))!.Kind);
    }

    public void Dispose() => _files.Dispose();
}
