using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace TaskRecovery.Sqlite;

/// <summary>Asks Linux whether a file is locked, on a handle that stays open.</summary>
/// <remarks>With the runtime, a lock shows only as an exception when the file is opened: with 40 nodes that check each other once a second,
/// these exceptions would be most of the CPU time of idle processes. The runtime locks files with <c>flock</c>, which belongs to the open
/// file and not to the process, so closing this handle releases no other lock.</remarks>
internal static partial class LockProbe
{
    private const int ReadOnly = 0;
    private const int CloseOnExec = 0x80000;
    private const int SharedWithoutWaiting = 1 | 4;
    private const int Unlock = 8;
    private const int WouldBlock = 11;

    /// <summary>Opens a file without locking it.</summary>
    /// <returns><see langword="null"/> if the file cannot be opened, or on another operating system.</returns>
    public static SafeFileHandle? TryOpen(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        var descriptor = open(path, ReadOnly | CloseOnExec);
        return descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    /// <summary>Returns whether another handle holds the file's lock.</summary>
    /// <returns><see langword="null"/> if the operating system can't tell, such as a file system without locks or a table of locks that is
    /// full. This proves nothing.</returns>
    public static bool? IsHeld(SafeFileHandle handle)
    {
        var descriptor = (int)handle.DangerousGetHandle();
        if (flock(descriptor, SharedWithoutWaiting) != 0)
        {
            return Marshal.GetLastPInvokeError() == WouldBlock ? true : null;
        }

        _ = flock(descriptor, Unlock);
        return false;
    }

#pragma warning disable IDE1006, SA1300, CA5392 // The names are those of the C library, which the system finds.
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(int descriptor, int operation);
#pragma warning restore IDE1006, SA1300, CA5392
}
