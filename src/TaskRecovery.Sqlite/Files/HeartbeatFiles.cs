using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace TaskRecovery.Sqlite;

/// <summary>The heartbeat counters: one small file per node beside the database, written only by that node.</summary>
/// <remarks>A heartbeat must not need the database's only write lock, because other processes and the application's own transactions may
/// hold it for any length of time (docs/decisions/0027-heartbeats-in-files.md). If the file is lost, cannot be written or cannot be read,
/// the node keeps its lease: its heartbeats are stored in the database instead.</remarks>
internal sealed class HeartbeatFiles(SqliteFile file)
{
    // While the file is open here, other processes may read it, and remove it after the node was declared dead.
    private const FileShare Shared = FileShare.ReadWrite | FileShare.Delete;

    private const int MaxVitals = 8 * 1024;

    // ENFILE and EMFILE of Linux and macOS, ERROR_TOO_MANY_OPEN_FILES of Windows.
    private const int TooManyInSystem = 23;
    private const int TooManyInProcess = 24;
    private const int TooManyOnWindows = unchecked((int)0x80070004);

    /// <summary>Opens a file for reading. Only tests replace it.</summary>
    internal Func<string, SafeFileHandle> OpenToRead { get; set; }
        = static path => File.OpenHandle(path, FileMode.Open, FileAccess.Read, Shared);

    /// <summary>The path of a node's file.</summary>
    public string PathOf(Guid nodeId) => file.HeartbeatPath(nodeId);

    /// <summary>The file of a node of this process, which stays open.</summary>
    public KeptFile<FileStream> KeepOwn(Guid nodeId) => new(file.HeartbeatPath(nodeId), path => file.OpenOrCreate(path, Shared));

    /// <summary>Increments a node's counter.</summary>
    /// <param name="own">The file of this node.</param>
    /// <param name="counter">The counter that this node wrote last, so that a replaced file cannot decrease it.</param>
    /// <param name="vitals">The state of the process, for the node that finds it dead; <see langword="null"/> for none.</param>
    /// <returns><see langword="false"/> if the file cannot be written: the counter was not incremented.</returns>
    public static bool TryRaise(KeptFile<FileStream> own, ref long counter, string? vitals = null)
    {
        try
        {
            // Find the file by its name each time: writes to a deleted file would succeed, but no other process could read them.
            var handle = own.Open()!.SafeFileHandle;
            var next = Math.Max(counter, Read(handle) ?? 0) + 1;
            Span<byte> bytes = stackalloc byte[sizeof(long)];
            BinaryPrimitives.WriteInt64LittleEndian(bytes, next);
            RandomAccess.Write(handle, bytes, 0);
            counter = next;
            WriteVitals(handle, vitals);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            own.Dispose();
            return false;
        }
    }

    /// <summary>Opens a node's file for repeated reads of its counter.</summary>
    /// <param name="nodeId">The node.</param>
    /// <param name="tooManyOpen">Whether this process, or the system, has too many files open: it is unknown whether the file can be
    /// read.</param>
    /// <returns><see langword="null"/> if the file does not exist, may not be read, or can't be opened now.</returns>
    public SafeFileHandle? TryOpen(Guid nodeId, out bool tooManyOpen)
    {
        tooManyOpen = false;
        try
        {
            return OpenToRead(file.HeartbeatPath(nodeId));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            tooManyOpen = exception.HResult is TooManyInSystem or TooManyInProcess or TooManyOnWindows;
            return null;
        }
    }

    /// <summary>When a node's counter was written last, by the clock that all processes of this machine share.</summary>
    /// <returns><see langword="null"/> if there is no file.</returns>
    public DateTimeOffset? LastWrite(Guid nodeId)
    {
        var info = new FileInfo(file.HeartbeatPath(nodeId));
        return info.Exists ? new DateTimeOffset(info.LastWriteTimeUtc, TimeSpan.Zero) : null;
    }

    /// <summary>Reads a node's counter once.</summary>
    public long? TryRead(Guid nodeId)
    {
        using var handle = TryOpen(nodeId, out _);
        return handle is null ? null : Read(handle);
    }

    /// <summary>Reads the counter from an open file.</summary>
    /// <returns><see langword="null"/> if the file is too short or cannot be read. A torn read is harmless: it shows a changed counter, or
    /// the previous one.</returns>
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

    /// <summary>Reads the state of a node's process that it wrote last.</summary>
    /// <returns><see langword="null"/> if it wrote none, or cannot be read.</returns>
    public string? TryReadVitals(Guid nodeId)
    {
        using var handle = TryOpen(nodeId, out _);
        if (handle is null)
        {
            return null;
        }

        try
        {
            var bytes = new byte[MaxVitals];
            var read = RandomAccess.Read(handle, bytes, sizeof(long));
            var end = bytes.AsSpan(0, read).IndexOf((byte)'\n');
            return end <= 0 ? null : System.Text.Encoding.UTF8.GetString(bytes, 0, end);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // The line ends what an earlier, longer text left behind it. If this fails, the heartbeat still counts.
    private static void WriteVitals(SafeFileHandle handle, string? vitals)
    {
        if (vitals is null || System.Text.Encoding.UTF8.GetBytes(vitals + "\n") is not { Length: <= MaxVitals } bytes)
        {
            return;
        }

        try
        {
            RandomAccess.Write(handle, bytes, sizeof(long));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The disk may be full.
        }
    }

    /// <summary>Removes the file of a node that has left or is dead.</summary>
    public void Remove(Guid nodeId)
    {
        try
        {
            File.Delete(file.HeartbeatPath(nodeId));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Retention finds and removes the file later.
        }
    }
}
