using Npgsql;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>The connection that a node beats on. Its session lock goes with it.</summary>
internal sealed class PostgreSqlNodeSession : INodeSession
{
    // A beat that takes longer than this has missed two others; the node's deadline is nearer than a third.
    internal const int TimeoutSeconds = 2;

    private readonly PostgreSqlDatabase _database;
    private readonly NpgsqlConnection _connection;
    private readonly CommitWatch _commits;

    internal PostgreSqlNodeSession(PostgreSqlDatabase database)
    {
        _database = database;
        _connection = Translate(database.OpenSession);
        _commits = new CommitWatch(_connection);
    }

    private bool UsesLocks => _database.Options.UseSessionLocks;

    public NodeRegistration Register(NodeIdentity identity) => Translate(() =>
    {
        using var transaction = Begin();
        Run(NodeSql.LockName, [Arg.Text(_database.SchemaName), Arg.Text(identity.Name)], static reader => 0);
        var takenOver = new List<Guid>();
        var nameTaken = false;
        foreach (var namesake in Run(NodeSql.FindNamesake, [Arg.Text(identity.Name)], ReadNamesakes))
        {
            if (namesake.IsGone(identity) && MarkDeadNow(namesake.Id, namesake.Beat) is not null)
            {
                takenOver.Add(namesake.Id);
            }
            else
            {
                nameTaken = true;
            }
        }

        var key = LockKey(identity.Id);
        var holds = UsesLocks && TryLock(key);
        Run(
            NodeSql.Insert,
            [
                Arg.Uuid(identity.Id), Arg.Text(identity.Name), Arg.Bool(!nameTaken), Arg.Bool(identity.NameIsExplicit), Arg.Text(identity.Machine),
                Arg.Int4(identity.ProcessId), Arg.Int8(identity.ProcessStarted), Arg.Int8(key), Arg.Text(_database.Application), Arg.Bool(holds),
            ],
            static reader => 0);
        Commit(transaction);
        return new NodeRegistration(holds, nameTaken, takenOver);
    });

    public bool TryHold(Guid nodeId) => UsesLocks && Translate(() => TryLock(LockKey(nodeId)));

    public BeatResult Beat(Guid nodeId, bool holdsLock, Func<bool>? isLeaseValid = null) => Translate(() => Run(
        NodeSql.Beat,
        [Arg.Uuid(nodeId), Arg.Bool(holdsLock)],
        static reader =>
        {
            var (accepted, deadWithClaims, peers) = (false, false, new List<PeerBeat>());
            while (reader.Read())
            {
                if (reader.IsDBNull(0))
                {
                    (accepted, deadWithClaims) = (!reader.IsDBNull(2), reader.GetBoolean(3));
                }
                else
                {
                    peers.Add(new PeerBeat(reader.GetGuid(0), reader.GetString(1), reader.GetInt64(2), reader.GetBoolean(3), reader.GetBoolean(4)));
                }
            }

            return new BeatResult(accepted, peers, deadWithClaims);
        },
        inMemory: true));

    public bool MarkDead(Guid nodeId, long beat)
    {
        var marked = Translate(() =>
        {
            using var transaction = Begin();
            var node = MarkDeadNow(nodeId, beat);
            Commit(transaction);
            return node;
        });
        if (marked is not { } dead)
        {
            return false;
        }

        try
        {
            // The sessions of this very process have work of a later life to do.
            var others = string.Equals(dead.Application, _database.Application, StringComparison.Ordinal) ? null : dead.Application;
            Run(NodeSql.Terminate, [Arg.Text(others), Arg.Int8(dead.Key)], static reader => 0);
        }
        catch (PostgresException)
        {
            // Without the right to, the server's own timeouts do it a little later.
        }

        return true;
    }

    public void Leave(Guid nodeId) => Translate(() =>
    {
        using var transaction = Begin();
        Run(NodeSql.Leave, [Arg.Uuid(nodeId)], static reader => 0);
        Commit(transaction);
        return 0;
    });

    public void Dispose()
    {
        try
        {
            if (_database.Application is null && UsesLocks && _connection.FullState == System.Data.ConnectionState.Open)
            {
                // The application's pool may give this session away as it is.
                Run("select pg_advisory_unlock_all()", [], static reader => 0);
                Run(SessionSettings.Unpin, [], static reader => 0);
            }
        }
        catch (Exception exception) when (exception is NpgsqlException or InvalidOperationException)
        {
            // It is broken, and its locks went with it.
        }

        _commits.Dispose();
        _connection.Dispose();
    }

    // Half of a random id is random enough.
    private static long LockKey(Guid nodeId) => BitConverter.ToInt64(nodeId.ToByteArray(), 8);

    private bool TryLock(long key) => Run(NodeSql.TryLock, [Arg.Int8(key)], static reader => reader.Read() && reader.GetBoolean(0));

    private (string? Application, long Key)? MarkDeadNow(Guid nodeId, long beat) => Run(
        NodeSql.MarkDead,
        [Arg.Uuid(nodeId), Arg.Int8(beat)],
        static reader => reader.Read() ? (reader.IsDBNull(0) ? null : reader.GetString(0), reader.GetInt64(1)) : ((string?, long)?)null);

    private static List<Namesake> ReadNamesakes(NpgsqlDataReader reader)
    {
        var found = new List<Namesake>();
        while (reader.Read())
        {
            found.Add(new Namesake(
                reader.GetGuid(0), reader.GetString(1), reader.GetInt32(2), reader.GetInt64(3), reader.GetBoolean(4), reader.GetInt64(5), reader.GetBoolean(6), reader.GetBoolean(7)));
        }

        return found;
    }

    // What is said in these transactions is said for good: the disk has it before anyone acts on it.
    private NpgsqlTransaction Begin()
    {
        var transaction = _connection.BeginTransaction();
        Run(SessionSettings.Prelude, [], static reader => 0);
        return transaction;
    }

    private void Commit(NpgsqlTransaction transaction)
    {
        transaction.Commit();
        _commits.ThrowIfUnconfirmed();
    }

    private T Run<T>(string statement, NpgsqlParameter[] args, Func<NpgsqlDataReader, T> read, bool inMemory = false)
    {
        using var batch = new NpgsqlBatch(_connection) { Timeout = TimeoutSeconds };
        if (inMemory)
        {
            // Nothing is lost with a beat that a crash of the server takes back.
            batch.BatchCommands.Add(new NpgsqlBatchCommand(SessionSettings.PreludeInMemory));
        }
        else if (!_database.KeepsSessions)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(SessionSettings.PinInTransaction));
        }

        var preludes = batch.BatchCommands.Count;

        var command = new NpgsqlBatchCommand(_database.Sql(statement));
        command.Parameters.AddRange(args);
        batch.BatchCommands.Add(command);
        if (UsesLocks)
        {
            batch.Prepare();
        }

        using var reader = batch.ExecuteReader();
        if (preludes > 0)
        {
            reader.NextResult();
        }

        var result = read(reader);
        while (reader.NextResult())
        {
        }

        return result;
    }

    private T Translate<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception exception) when (PostgreSqlErrors.Translate(exception, _database.SchemaName) is not null)
        {
            throw PostgreSqlErrors.Translate(exception, _database.SchemaName)!;
        }
    }

    private sealed record Namesake(Guid Id, string Machine, int ProcessId, long ProcessStarted, bool NameIsExplicit, long Beat, bool SaidItHeldItsLock, bool LockIsHeld)
    {
        /// <summary>Its lock, which it said it held, is free, and either the name is a promise or its process is gone from this machine.</summary>
        internal bool IsGone(NodeIdentity mine)
            => SaidItHeldItsLock && !LockIsHeld
                && ((NameIsExplicit && mine.NameIsExplicit)
                    || (string.Equals(Machine, mine.Machine, StringComparison.Ordinal) && LocalProcess.Started(ProcessId) != ProcessStarted));
    }
}
