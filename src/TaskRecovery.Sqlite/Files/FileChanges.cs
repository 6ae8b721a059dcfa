using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace TaskRecovery.Sqlite;

/// <summary>Waits until any process writes to a file, with inotify on Linux, so that an idle process never wakes up.</summary>
internal sealed partial class FileChanges : IDisposable
{
    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private const uint Modified = 0x2;
    private const short Readable = 0x1;

    private readonly SafeFileHandle _changes;
    private readonly SafeFileHandle _wake;

    private FileChanges(SafeFileHandle changes, SafeFileHandle wake)
    {
        _changes = changes;
        _wake = wake;
    }

    /// <summary>Starts to watch a file.</summary>
    /// <returns><see langword="null"/> if inotify is unavailable: on another operating system, or if the limit of watches is
    /// reached.</returns>
    public static FileChanges? TryWatch(string file)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        var changes = new SafeFileHandle(inotify_init1(CloseOnExec | NonBlocking), ownsHandle: true);
        var wake = new SafeFileHandle(eventfd(0, CloseOnExec | NonBlocking), ownsHandle: true);
        if (changes.IsInvalid || wake.IsInvalid
            || inotify_add_watch(Descriptor(changes), [.. Encoding.UTF8.GetBytes(file), 0], Modified) < 0)
        {
            changes.Dispose();
            wake.Dispose();
            return null;
        }

        return new FileChanges(changes, wake);
    }

    /// <summary>Waits for a change, or for <see cref="Wake"/>.</summary>
    public void Wait(TimeSpan limit)
    {
        Span<PollDescriptor> descriptors =
            [new() { Descriptor = Descriptor(_changes), Events = Readable }, new() { Descriptor = Descriptor(_wake), Events = Readable }];
        _ = poll(ref descriptors[0], 2, (int)limit.TotalMilliseconds);
    }

    /// <summary>Consumes the changes reported so far.</summary>
    /// <returns>Whether there were any.</returns>
    public bool Clear()
    {
        Span<byte> events = stackalloc byte[4096];
        var any = false;
        while (read(Descriptor(_changes), ref events[0], events.Length) > 0)
        {
            any = true;
        }

        return any;
    }

    /// <summary>Ends the current wait and all later ones.</summary>
    public void Wake()
    {
        var one = 1UL;
        _ = write(Descriptor(_wake), ref one, sizeof(ulong));
    }

    public void Dispose()
    {
        _changes.Dispose();
        _wake.Dispose();
    }

    private static int Descriptor(SafeFileHandle handle) => (int)handle.DangerousGetHandle();

    [StructLayout(LayoutKind.Sequential)]
    private struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

#pragma warning disable IDE1006, SA1300, CA5392 // The names are those of the C library, which the system finds.
    [LibraryImport("libc", SetLastError = true)]
    private static partial int inotify_init1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int inotify_add_watch(int descriptor, byte[] path, uint mask);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int eventfd(uint value, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int poll(ref PollDescriptor descriptors, nuint count, int milliseconds);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(int descriptor, ref byte buffer, nint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int descriptor, ref ulong value, nint count);
#pragma warning restore IDE1006, SA1300, CA5392
}
