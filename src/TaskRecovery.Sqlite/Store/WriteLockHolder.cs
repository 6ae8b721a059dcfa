using System.Globalization;

namespace TaskRecovery.Sqlite;

/// <summary>The process that holds a database's write lock, if the operating system reports it.</summary>
/// <remarks>Linux lists all file locks. The lock's file must not be opened for this, because closing it would release the locks that SQLite
/// holds on it in this process.</remarks>
internal readonly record struct WriteLockHolder(int? ProcessId)
{
    // SQLite's write lock is byte 120 of the shared-memory file beside the log.
    private const long WriteLockByte = 120;

    /// <summary>Finds the holder of the lock.</summary>
    public static WriteLockHolder Find(string database)
    {
        try
        {
            return OperatingSystem.IsLinux()
                && FindInode(Path.GetFullPath(database) + "-shm") is { } inode ? new WriteLockHolder(FindProcess(inode)) : default;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }

    public override string ToString() => ProcessId switch
    {
        null => "another connection",
        { } process when process == Environment.ProcessId => "another connection of this process",
        { } process => string.Create(CultureInfo.InvariantCulture, $"a connection of process {process}"),
    };

    // The writer has the file open, so the inode can be read from the process's open files.
    private static string? FindInode(string file)
    {
        foreach (var descriptor in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
        {
            if (string.Equals(File.ResolveLinkTarget(descriptor, returnFinalTarget: false)?.FullName, file, StringComparison.Ordinal))
            {
                return File.ReadLines($"/proc/self/fdinfo/{Path.GetFileName(descriptor)}")
                    .FirstOrDefault(static line => line.StartsWith("ino:", StringComparison.Ordinal))?["ino:".Length..].Trim();
            }
        }

        return null;
    }

    // Example: 7: POSIX  ADVISORY  WRITE 1234 08:01:5678 120 120
    private static int? FindProcess(string inode)
    {
        foreach (var line in File.ReadLines("/proc/locks"))
        {
            var parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (parts is [_, "POSIX", _, "WRITE", var process, var file, var from, var to]
                && file.EndsWith(":" + inode, StringComparison.Ordinal)
                && long.TryParse(from, NumberStyles.None, CultureInfo.InvariantCulture, out var first) && first <= WriteLockByte
                && (string.Equals(to, "EOF", StringComparison.Ordinal)
                    || (long.TryParse(to, NumberStyles.None, CultureInfo.InvariantCulture, out var last) && last >= WriteLockByte)))
            {
                return int.Parse(process, NumberStyles.None, CultureInfo.InvariantCulture);
            }
        }

        return null;
    }
}
