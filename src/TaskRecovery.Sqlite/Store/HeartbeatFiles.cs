using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace TaskRecovery.Sqlite;

/// <summary>The heartbeat counters: one small file for each life of a node, beside the database, which that node alone writes.</summary>
/// <remarks>A heartbeat must not need the database's only write lock, which other processes and the application's own transactions hold for as long as they like
/// (docs/decisions, 27). A file that is lost, cannot be written or cannot be read costs nobody its lease: the heartbeats go into the database then.</remarks>
internal sealed class HeartbeatFiles(SqliteFile file)
{
    // Others may read it, and remove it after a death, while it is open here.
    private const FileShare Shared = FileShare.ReadWrite | FileShare.Delete;

    /// <summary>Raises a node's counter.</summary>
    /// <param name="nodeId">This node.</param>
    /// <param name="counter">The counter as this node wrote it last; a file that was replaced must not take it back.</param>
    /// <returns><see langword="false"/> if the file cannot be written: the counter was not raised.</returns>
    public bool TryRaise(Guid nodeId, ref long counter)
    {
        try
        {
            // By its name, each time: a file that somebody deleted would take what is written without showing it to anybody.
            using var stream = file.OpenOrCreate(file.HeartbeatPath(nodeId), Shared);
            var handle = stream.SafeFileHandle;
            var next = Math.Max(counter, Read(handle) ?? 0) + 1;
            Span<byte> bytes = stackalloc byte[sizeof(long)];
            BinaryPrimitives.WriteInt64LittleEndian(bytes, next);
            RandomAccess.Write(handle, bytes, 0);
            counter = next;
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Opens a node's file to look at its counter again and again.</summary>
    /// <returns><see langword="null"/> if it is not there or may not be read.</returns>
    public SafeFileHandle? TryOpen(Guid nodeId)
    {
        try
        {
            return File.OpenHandle(file.HeartbeatPath(nodeId), FileMode.Open, FileAccess.Read, Shared);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Reads a node's counter once.</summary>
    public long? TryRead(Guid nodeId)
    {
        using var handle = TryOpen(nodeId);
        return handle is null ? null : Read(handle);
    }

    /// <summary>Reads the counter.</summary>
    /// <returns><see langword="null"/> if the file is too short or cannot be read. A number that is torn differs from the one before it, or is it: both are right.</returns>
    public static long? Read(SafeFileHandle handle)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        try
        {
            return RandomAccess.Read(handle, bytes, 0) == sizeof(long) ? BinaryPrimitives.ReadInt64LittleEndian(bytes) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Removes the file of a life that is over.</summary>
    public void Remove(Guid nodeId)
    {
        try
        {
            File.Delete(file.HeartbeatPath(nodeId));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The removal of what is no longer kept finds it later.
        }
    }
}
