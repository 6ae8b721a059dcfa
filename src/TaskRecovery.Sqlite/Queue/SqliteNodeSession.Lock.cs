namespace TaskRecovery.Sqlite;

/// <content>The lock of a node's own file.</content>
internal sealed partial class SqliteNodeSession
{
    // Acquire the lock and verify that it excludes others. If files can't be locked, or file locking is disabled in the runtime, only the
    // lease decides.
    private bool Take(Guid nodeId)
    {
        if (database.Locks.TryTake(nodeId) is not { } held)
        {
            return false;
        }

        _held.Add(nodeId, held);
        if (database.Locks.Works(nodeId))
        {
            return true;
        }

        if (!_hasWarned)
        {
            _hasWarned = true;
            database.Logger.LocksDoNotWork(database.Path, nodeId);
        }

        return false;
    }

    // The folder may have become read-only, the disk may be full, or too many files may be open. The node keeps its lease by its heartbeats
    // then.
    private bool TakeAgain(Guid nodeId)
    {
        try
        {
            return Take(nodeId);
        }
        catch (Exception exception) when (exception is StoreConfigurationException or IOException)
        {
            return false;
        }
    }

    private bool Works(Guid nodeId)
    {
        if (!_held.TryGetValue(nodeId, out var held))
        {
            return false;
        }

        if (Own(nodeId).LockWorks())
        {
            return true;
        }

        // The file may have been deleted or replaced: other nodes check the lock of the file that exists now.
        _held.Remove(nodeId);
        var works = TakeAgain(nodeId);
        if (_held.TryAdd(nodeId, held))
        {
            return false;
        }

        held.Dispose();
        return works;
    }
}
