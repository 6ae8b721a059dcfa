using System.Data;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Npgsql;

namespace TaskRecovery.PostgreSql;

/// <summary>Runs the statements of the read model: at most two at a time, on connections of their own, each question in one read-only
/// transaction with one snapshot and a time limit for each statement.</summary>
/// <param name="database">The database.</param>
/// <param name="open">Opens a connection for a question.</param>
[SuppressMessage("Reliability", "CA1001", Justification = "A semaphore whose wait handle nobody asks for holds nothing. If it were "
    + "disposed with the store, a read in progress could not release it, and a waiting one would wait forever.")]
internal sealed class MonitorReads(PostgreSqlDatabase database, Func<CancellationToken, ValueTask<NpgsqlConnection>> open)
{
    private const int MaxReads = 2;

    private readonly SemaphoreSlim _free = new(MaxReads);

    /// <summary>Answers one question.</summary>
    /// <param name="limit">The time limit of each statement, which the server enforces.</param>
    /// <param name="work">Reads the rows.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="TimeoutException">A statement took longer than <paramref name="limit"/>.</exception>
    internal async ValueTask<T> ReadAsync<T>(
        TimeSpan limit, Func<NpgsqlConnection, CancellationToken, ValueTask<T>> work, CancellationToken cancellationToken)
    {
        limit = database.LongestRead ?? limit;
        await _free.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await ReadOrRepeatAsync(limit, work, cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.QueryCanceled
            && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(
                $"PostgreSQL needed more than {limit.TotalSeconds:0.#} s for this question. Ask for less: set EntryQuery.Queue, "
                + "Kind or States, or a smaller EntryQuery.MaxExamined.", exception);
        }
        catch (Exception exception) when (PostgreSqlErrors.Translate(exception, database.SchemaName) is not null)
        {
            throw PostgreSqlErrors.Translate(exception, database.SchemaName)!;
        }
        catch (Exception exception) when (database.IsErrorOfClosing(exception))
        {
            throw new StoreUnavailableException("The store was closed during this question, or before it.", exception);
        }
        finally
        {
            _free.Release();
        }
    }

    private async ValueTask<T> ReadOrRepeatAsync<T>(
        TimeSpan limit, Func<NpgsqlConnection, CancellationToken, ValueTask<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadOnceAsync(limit, work, cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException exception) when (PostgreSqlErrors.EndedWhileIdle(exception))
        {
            // The server ended the session while it was idle, and has read nothing of this question.
            return await ReadOnceAsync(limit, work, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask<T> ReadOnceAsync<T>(
        TimeSpan limit, Func<NpgsqlConnection, CancellationToken, ValueTask<T>> work, CancellationToken cancellationToken)
    {
        var connection = await open(cancellationToken).ConfigureAwait(false);
        await using var _ = connection.ConfigureAwait(false);
        var transaction = await connection.BeginTransactionAsync(
            IsolationLevel.RepeatableRead, cancellationToken).ConfigureAwait(false);
        await using var __ = transaction.ConfigureAwait(false);
        await BeginAsync(connection, limit, cancellationToken).ConfigureAwait(false);
        var result = await work(connection, cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return result;
    }

    // On sessions that are not the library's own, the search path is pinned first, and the server limits how long the transaction is idle.
    private async ValueTask BeginAsync(NpgsqlConnection connection, TimeSpan limit, CancellationToken cancellationToken)
    {
        var batch = new NpgsqlBatch(connection) { Timeout = database.CommandTimeout };
        await using var _ = batch.ConfigureAwait(false);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(database.MonitorPrelude));
        var begin = new NpgsqlBatchCommand(MonitorSql.Begin);
        begin.Parameters.Add(Arg.Text(((long)limit.TotalMilliseconds).ToString(CultureInfo.InvariantCulture)));
        batch.BatchCommands.Add(begin);
        await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }
}
