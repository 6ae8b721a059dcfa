using System.Globalization;

namespace TaskRecovery.Sqlite;

/// <summary>The process that holds a database's write lock, if the operating system reports it.</summary>
/// <remarks>Linux lists all file locks. The lock's file must not be opened for this, because closing it would release the locks that SQLite
/// holds on it in this process.</remarks>
internal readonly record struct WriteLockHolder(int? ProcessId, string? ProcessName = null)
{
    // SQLite's write lock is byte 120 of the shared-memory file beside the log.
    private const long WriteLockByte = 120;

    // A machine may have very many locks, mounts and open files. A long wait for the name of the holder would be worse than no name.
    private const int MostLines = 20_000;

    private bool IsThisProcess => ProcessId == Environment.ProcessId;

    /// <summary>Finds the holder of the lock. Takes milliseconds, so it is for a wait that has already taken long. Never throws.</summary>
    public static WriteLockHolder Find(string database)
    {
        try
        {
            return OperatingSystem.IsLinux() && FindFile(database + "-shm") is { } file
                && FindProcess(File.ReadLines("/proc/locks"), file) is { } process
                ? new WriteLockHolder(process, FindName(process)) : default;
        }
#pragma warning disable CA1031 // The holder is only a part of a message, and what a system shows in these files is not under control.
        catch (Exception)
#pragma warning restore CA1031
        {
            return default;
        }
    }

    /// <summary>Finds the process that holds the write lock in the text of <c>/proc/locks</c>.</summary>
    /// <param name="locks">The lines of the text.</param>
    /// <param name="file">The shared-memory file as the text names it: <c>08:01:5678</c>.</param>
    /// <returns><see langword="null"/> if none is listed, or one that this process can't see (of another container or machine).</returns>
    internal static int? FindProcess(IEnumerable<string> locks, string file)
    {
        foreach (var line in locks.Take(MostLines))
        {
            // Example: 7: POSIX  ADVISORY  WRITE 1234 08:01:5678 120 120. A lock that is waited for has '->' behind the number.
            var parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (parts is [_, "POSIX", _, "WRITE", var process, var locked, var from, var to]
                && string.Equals(locked, file, StringComparison.Ordinal)
                && TryRead(from, out var first) && first <= WriteLockByte
                && (string.Equals(to, "EOF", StringComparison.Ordinal) || (TryRead(to, out var last) && last >= WriteLockByte)))
            {
                return TryRead(process, out var id) && id is > 0 and <= int.MaxValue ? (int)id : null;
            }
        }

        return null;
    }

    /// <summary>Returns the exception for a call that has waited too long.</summary>
    /// <param name="file">The database.</param>
    /// <param name="waited">How long the call has waited.</param>
    /// <param name="hasTransaction">Whether the call was given a transaction of its caller.</param>
    /// <param name="reported">Who held the lock when the wait was reported; <see langword="null"/> if it was not.</param>
    /// <param name="inner">SQLite's own error.</param>
    public StoreUnavailableException ToException(
        string file, TimeSpan waited, bool hasTransaction, WriteLockHolder? reported, Exception? inner = null)
        => new($"'{file}' has been locked for {waited.TotalSeconds:0} s by {ToString()}, and nothing of this call was stored. "
            + ToAdvice(hasTransaction), inner)
        {
            // At one moment alone, the holder may be another one than that of the wait: a short transaction of this process among the long
            // ones of others.
            IsHeldByThisProcess = IsThisProcess && reported is not { IsThisProcess: false },
        };

    /// <summary>Returns what to do about it.</summary>
    /// <param name="hasTransaction">Whether the waiting call was given a transaction of its caller.</param>
    public string ToAdvice(bool hasTransaction) => (ProcessId, hasTransaction) switch
    {
        ({ } process, false) when process == Environment.ProcessId => "If it is the caller's, pass it to the call: without it each waits "
            + "for the other. Otherwise keep your own transactions on this file short.",
        ({ } process, true) when process == Environment.ProcessId => "If it is the caller's too, end it before the call. "
            + "Otherwise keep your own transactions on this file short.",
        (null, false) => "If it is your own transaction, and this call is made while it is open, pass the transaction to the call: "
            + "without it each waits for the other. Otherwise keep your own transactions on this file short; a process that holds one "
            + "may also be stopped.",
        _ => "Keep your own transactions on this file short; a process that holds one may also be stopped.",
    };

    public override string ToString() => ProcessId switch
    {
        null => "another connection",
        { } process when process == Environment.ProcessId => "a transaction that this process opened itself",
        { } process => string.Create(
            CultureInfo.InvariantCulture, $"process {process}{(ProcessName is null ? null : $" ({ProcessName})")}"),
    };

    // The writer has the file open. What the kernel reports about an open file is what it lists the lock with; a path may show another
    // inode or device (overlayfs, btrfs).
    private static string? FindFile(string path)
    {
        if (FileFacts.Read(path) is not { Exists: true } named)
        {
            return null;
        }

        foreach (var descriptor in Directory.EnumerateFileSystemEntries("/proc/self/fd").Take(MostLines))
        {
            if (new FileInfo(descriptor).LinkTarget?.EndsWith("-shm", StringComparison.Ordinal) == true
                && FileFacts.Read(descriptor)?.IsSameFile(named) == true)
            {
                var facts = File.ReadLines($"/proc/self/fdinfo/{Path.GetFileName(descriptor)}").Take(MostLines).ToList();
                return FindValue(facts, "mnt_id:") is { } mount && FindDevice(mount) is { } device
                    ? $"{device}:{FindValue(facts, "ino:") ?? named.Inode.ToString(CultureInfo.InvariantCulture)}" : null;
            }
        }

        return null;
    }

    // Example: 36 35 98:0 /root /mnt rw,noatime shared:1 - ext4 /dev/sda1 rw
    private static string? FindDevice(string mount)
    {
        foreach (var line in File.ReadLines("/proc/self/mountinfo").Take(MostLines))
        {
            if (line.Split(' ', 4) is [var id, _, var device, _] && string.Equals(id, mount, StringComparison.Ordinal)
                && device.Split(':') is [var major, var minor] && TryRead(major, out var first) && TryRead(minor, out var second))
            {
                return string.Create(CultureInfo.InvariantCulture, $"{first:x2}:{second:x2}");
            }
        }

        return null;
    }

    private static string? FindValue(List<string> facts, string name)
        => facts.Find(line => line.StartsWith(name, StringComparison.Ordinal))?[name.Length..].Trim();

    // A program can give itself any name.
    private static string? FindName(int process)
    {
        try
        {
            var name = File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/comm")).FirstOrDefault();
            return string.IsNullOrWhiteSpace(name) ? null : string.Concat(name.Select(static sign => char.IsControl(sign) ? '?' : sign));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool TryRead(string text, out long number)
        => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
