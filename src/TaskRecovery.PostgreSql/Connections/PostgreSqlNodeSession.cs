using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>The connection that a node sends its heartbeats on. The node's session lock ends with it.</summary>
internal sealed class PostgreSqlNodeSession : INodeSession
{
    // A heartbeat that takes longer than this has missed the next two, and the node's lease expires before a third.
    internal const int TimeoutSeconds = 2;

    private const int RegisterAttempts = 4;

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

    public NodeRegistration Register(NodeIdentity identity)
    {
        try
        {
            var registration = Translate(() => RegisterRepeatedly(identity));
            _database.FailedRegistrations.Remove(registration.TakenOver);
            return registration;
        }
        catch
        {
            // The commit may have succeeded, for example if it waited too long for a standby. The node registers again with another id.
            _database.FailedRegistrations.Add(identity.Id);
            throw;
        }
    }

    private NodeRegistration RegisterRepeatedly(NodeIdentity identity)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return RegisterOnce(identity, mayTakeOver: attempt < RegisterAttempts);
            }
            catch (PostgresException exception) when (attempt < RegisterAttempts
                && exception.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.UniqueViolation)
            {
                // Another node is registering under the same name, or a session of the namesake holds a lock on its row.
                EndSessions(Run(NodeSql.FindSameName, [Arg.Text(identity.Name)], ReadNamesakes).FindAll(
                    namesake => IsGone(namesake, identity)).ConvertAll(namesake => (namesake.Id, namesake.Heartbeat)));
            }
        }
    }

    private bool IsGone(Namesake namesake, NodeIdentity mine)
        => _database.FailedRegistrations.Contains(namesake.Id) || namesake.IsGone(mine);

    public bool TryHold(Guid nodeId) => UsesLocks && Translate(() => TryLock(LockKey(nodeId)));

    public HeartbeatResult SendHeartbeat(
        Guid nodeId, bool holdsLock, Func<bool>? isLeaseValid = null, string? vitals = null, HintOffer? hints = null)
        => SendHeartbeat(NodeSql.Heartbeat, nodeId, holdsLock, vitals, hints);

    public HeartbeatResult SendHeartbeatOnly(
        Guid nodeId, bool holdsLock, Func<bool>? isLeaseValid = null, string? vitals = null, HintOffer? hints = null)
        => SendHeartbeat(NodeSql.HeartbeatOnly, nodeId, holdsLock, vitals, hints) with { HasPeers = false };

    public IReadOnlyList<Guid> MarkDead(IReadOnlyList<PeerHeartbeat> judged, string? judge = null) => Translate(() =>
    {
        List<(Guid Id, long Heartbeat)> nodes = [.. judged.Select(peer => (peer.NodeId, peer.Heartbeat))];
        var unchanged = MarkJudged(nodes, judged.Select(peer => peer.Proof), judge);
        if (unchanged.Count > 0)
        {
            EndSessions(nodes);
        }

        return unchanged.FindAll(node => node.IsDead).ConvertAll(node => node.Id);
    });

    public void Leave(Guid nodeId) => Translate(() => Run(NodeSql.Leave, [Arg.Uuid(nodeId)], static reader => 0));

    public void Dispose()
    {
        try
        {
            if (_database.Application is null && UsesLocks && _connection.FullState == System.Data.ConnectionState.Open)
            {
                // The application's pool may reuse this session as it is.
                Run("select pg_advisory_unlock_all()", [], static reader => 0);
                Run(SessionSettings.Unpin, [], static reader => 0);
            }
        }
        catch (Exception exception) when (exception is NpgsqlException or InvalidOperationException)
        {
            // The connection is broken, so the server has released its locks.
        }

        _commits.Dispose();
        _connection.Dispose();
    }

    private HeartbeatResult SendHeartbeat(string statement, Guid nodeId, bool holdsLock, string? vitals, HintOffer? hints)
        => Translate(() => Run(
            statement,
            [
                Arg.Uuid(nodeId), Arg.Bool(holdsLock), Arg.Text(vitals), Arg.Names(Reported(hints)), Arg.Names(hints?.FullQueues ?? []),
                Arg.Int2(hints?.Load ?? 0), Arg.Bool(hints?.EndsTurn == true),
            ],
            static reader =>
            {
                var (accepted, deadWithClaims, own, peers) = (false, false, (HintPlace?)null, new List<PeerHeartbeat>());
                while (reader.Read())
                {
                    if (reader.IsDBNull(0))
                    {
                        (accepted, deadWithClaims, own) = (!reader.IsDBNull(2), reader.GetBoolean(3), ReadPlace(reader));
                    }
                    else
                    {
                        peers.Add(new PeerHeartbeat(
                            reader.GetGuid(0), reader.GetString(1), reader.GetInt64(2), reader.GetBoolean(3), reader.GetBoolean(4))
                        {
                            Place = ReadPlace(reader),
                        });
                    }
                }

                return new HeartbeatResult(accepted, peers, deadWithClaims) { Place = own };
            }));

    // A node that does not listen at all must not count as one that does.
    private IReadOnlyList<string>? Reported(HintOffer? hints)
        => hints is null ? null : _database.Options.UseNotifications ? hints.Queues : [];

    // A node of an older library reports nothing. It listens anyway.
    private static HintPlace? ReadPlace(NpgsqlDataReader reader)
        => reader.IsDBNull(5) ? null : new HintPlace(
            reader.GetFieldValue<string[]>(5), reader.IsDBNull(6) ? [] : reader.GetFieldValue<string[]>(6), reader.GetInt16(7),
            reader.TimeOrNull(8), reader.GetInt32(9));

    // Half of a random id is random enough for a key.
    private static long LockKey(Guid nodeId) => BitConverter.ToInt64(nodeId.ToByteArray(), 8);

    private bool TryLock(long key) => Run(NodeSql.TryLock, [Arg.Int8(key)], static reader => reader.Read() && reader.GetBoolean(0));

    private NodeRegistration RegisterOnce(NodeIdentity identity, bool mayTakeOver)
    {
        // Commit synchronously: a registration must be on disk before any node acts on it.
        using var transaction = BeginLocking();
        var takenOver = new List<Guid>();
        var nameTaken = false;
        foreach (var namesake in RunHere(NodeSql.FindSameName, [Arg.Text(identity.Name)], ReadNamesakes))
        {
            if (mayTakeOver && IsGone(namesake, identity) && LockAndMark(
                NodeSql.LockNamesake, [(namesake.Id, namesake.Heartbeat)], [DeathProof.ProcessGone], identity.Name).Exists(
                    static node => node.IsDead))
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
        RunHere(
            NodeSql.Insert,
            [
                Arg.Uuid(identity.Id), Arg.Text(identity.Name), Arg.Bool(!nameTaken),
                Arg.Bool(identity.NameIsExplicit), Arg.Text(identity.Machine),
                Arg.Int4(identity.ProcessId), Arg.Int8(identity.ProcessStarted), Arg.Int8(key),
                Arg.Text(_database.Application), Arg.Bool(holds), Arg.Text(identity.Info),
            ],
            static reader => 0);
        Commit();
        return new NodeRegistration(holds, nameTaken, takenOver);
    }

    private List<(Guid Id, bool IsDead)> MarkJudged(
        List<(Guid Id, long Heartbeat)> nodes, IEnumerable<DeathProof> proofs, string? judge)
    {
        using var transaction = BeginLocking();
        var unchanged = LockAndMark(NodeSql.LockJudged, nodes, proofs, judge);
        Commit();
        return unchanged;
    }

    // The second statement must see the heartbeats that were committed before the lock. Its snapshot is a new one, because the driver
    // begins transactions as read committed, whatever the default is.
    private List<(Guid Id, bool IsDead)> LockAndMark(
        string lockNodes, List<(Guid Id, long Heartbeat)> nodes, IEnumerable<DeathProof> proofs, string? judge)
    {
        Guid[] ids = [.. nodes.Select(node => node.Id)];
        var locked = RunHere(lockNodes, [Arg.Array(ids, NpgsqlDbType.Uuid)], ReadIds);
        return RunHere(
            NodeSql.MarkDead,
            [.. ToArgs(nodes), Proofs(proofs), Arg.Text(judge), Arg.Array([.. locked], NpgsqlDbType.Uuid)],
            ReadMarked);
    }

    private static List<Guid> ReadIds(NpgsqlDataReader reader)
    {
        var ids = new List<Guid>();
        while (reader.Read())
        {
            ids.Add(reader.GetGuid(0));
        }

        return ids;
    }

    private static List<(Guid Id, bool IsDead)> ReadMarked(NpgsqlDataReader reader)
    {
        var marked = new List<(Guid, bool)>();
        while (reader.Read())
        {
            marked.Add((reader.GetGuid(0), reader.GetBoolean(1)));
        }

        return marked;
    }

    private void EndSessions(List<(Guid Id, long Heartbeat)> nodes)
    {
        try
        {
            // Do not end sessions of this process: they may serve the node that this process is now.
            Run(NodeSql.Terminate, [.. ToArgs(nodes), Arg.Text(_database.Application)], static reader => 0);
        }
        catch (PostgresException)
        {
            // The role lacks the right to end sessions: the server's own time-outs end them a little later.
        }
    }

    private static NpgsqlParameter[] ToArgs(List<(Guid Id, long Heartbeat)> nodes)
        => [Arg.Array([.. nodes.Select(node => node.Id)], NpgsqlDbType.Uuid), Arg.Array(
            [.. nodes.Select(node => node.Heartbeat)], NpgsqlDbType.Bigint)];

    private static NpgsqlParameter Proofs(IEnumerable<DeathProof> proofs)
        => Arg.Array([.. proofs.Select(static proof => (short)proof)], NpgsqlDbType.Smallint);

    private static List<Namesake> ReadNamesakes(NpgsqlDataReader reader)
    {
        var found = new List<Namesake>();
        while (reader.Read())
        {
            found.Add(new Namesake(
                reader.GetGuid(0), reader.GetString(1), reader.GetInt32(2), reader.GetInt64(3),
                reader.GetBoolean(4), reader.GetInt64(5), reader.GetBoolean(6), reader.GetBoolean(7)));
        }

        return found;
    }

    // If the process stops before the commit, the row of the node stays locked until the server ends the transaction: no other node can
    // declare it dead before that.
    private NpgsqlTransaction Begin()
    {
        var transaction = _connection.BeginTransaction();
        RunHere(_database.Prelude ?? SessionSettings.Prelude, [], static reader => 0);
        return transaction;
    }

    // The time-outs bound how long a client that stops in the middle keeps rows locked.
    private NpgsqlTransaction BeginLocking()
    {
        var transaction = Begin();
        RunHere(
            "select set_config('lock_timeout', '500', true), set_config('idle_in_transaction_session_timeout', '5000', true)",
            [], static reader => 0);
        return transaction;
    }

    private void Commit()
    {
        RunHere(PostgreSqlDatabase.Commit, [], static reader => 0);
        _commits.ThrowIfUnconfirmed();
    }

    // If the next transaction may use another session, run the statement in a transaction that sets what a session would otherwise keep.
    private T Run<T>(string statement, NpgsqlParameter[] args, Func<NpgsqlDataReader, T> read)
    {
        if (_database.KeepsSessions)
        {
            return RunHere(statement, args, read);
        }

        using var transaction = Begin();
        var result = RunHere(statement, args, read);
        Commit();
        return result;
    }

    // One statement per command, on the calling thread: the driver writes several statements through the thread pool, which blocking
    // handlers may have starved.
    private T RunHere<T>(string statement, NpgsqlParameter[] args, Func<NpgsqlDataReader, T> read)
    {
        using var command = new NpgsqlCommand(_database.Sql(statement), _connection) { CommandTimeout = _database.SessionSeconds };
        command.Parameters.AddRange(args);
        if (UsesLocks)
        {
            command.Prepare();
        }

        using var reader = command.ExecuteReader();
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
            _database.ReplaceIfReadOnly(exception);
            throw PostgreSqlErrors.Translate(exception, _database.SchemaName)!;
        }
    }

    private sealed record Namesake(
        Guid Id, string Machine, int ProcessId, long ProcessStarted,
        bool NameIsExplicit, long Heartbeat, bool SaidItHeldItsLock, bool LockIsHeld)
    {
        /// <summary>Whether the namesake is dead: it reported that it held its session lock, the lock is free, and either both names were
        /// given by the user or its process is gone from this machine.</summary>
        internal bool IsGone(NodeIdentity mine)
            => SaidItHeldItsLock && !LockIsHeld
                && ((NameIsExplicit && mine.NameIsExplicit)
                    || (string.Equals(Machine, mine.Machine, StringComparison.Ordinal)
                        && LocalProcess.Started(ProcessId) != ProcessStarted));
    }
}
