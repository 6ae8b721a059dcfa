using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace TaskRecovery.Sqlite;

/// <summary>What the operating system reports about the file that a path names at this moment. A path can be reassigned to another file,
/// but device and inode identify a file as long as a process has it open.</summary>
/// <param name="Exists">Whether the path names a file at all.</param>
/// <param name="Device">The file system that the file is on.</param>
/// <param name="Inode">The file's number in its file system.</param>
/// <param name="Links">The number of names (hard links) of the file.</param>
/// <param name="IsMountPoint">Whether the file itself, not a folder above it, is a mount point.</param>
/// <param name="Mount">The id of the mount in <c>/proc/self/mountinfo</c>, if the kernel reports it.</param>
internal readonly partial record struct FileFacts(bool Exists, ulong Device, ulong Inode, ulong Links, bool IsMountPoint, ulong? Mount)
{
    private const int NotFound = 2;
    private const int NotADirectory = 20;
    private const int CurrentFolder = -100;
    private const int OfTheHandle = 0x1000; // AT_EMPTY_PATH
    private const uint BasicAndMount = 0x7ff | MountKnown;
    private const uint MountKnown = 0x1000;
    private const ulong MountRoot = 0x2000;

    /// <summary>Reads the facts without opening the file, because closing any handle of a database file releases SQLite's own locks on
    /// it.</summary>
    /// <param name="path">The path in UTF-8, zero-terminated.</param>
    /// <returns><see langword="null"/> if this operating system does not report them (Windows, where an open file can be neither deleted
    /// nor replaced).</returns>
    public static FileFacts? Read(ReadOnlySpan<byte> path)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
        {
            return null;
        }

        Span<byte> answer = stackalloc byte[256];
        try
        {
            var code = OperatingSystem.IsLinux() ? StatX(CurrentFolder, path, 0, BasicAndMount, answer)
                : RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? Stat(path, answer)
                : StatWithLongInodes(path, answer);
            if (code != 0)
            {
                return Marshal.GetLastPInvokeError() is NotFound or NotADirectory ? new FileFacts() : null;
            }
        }
        catch (Exception exception) when (exception is EntryPointNotFoundException or DllNotFoundException)
        {
            return null;
        }

        return OperatingSystem.IsLinux() ? FromStatX(answer) : FromStat(answer);
    }

    /// <summary>Reads the facts of a path that is used once.</summary>
    public static FileFacts? Read(string path) => Read(ToBytes(path));

    /// <summary>Reads the facts of an open file.</summary>
    /// <returns><see langword="null"/> if they can't be read, or on another operating system than Linux.</returns>
    public static FileFacts? Read(SafeFileHandle handle)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        Span<byte> answer = stackalloc byte[256];
        try
        {
            return StatX((int)handle.DangerousGetHandle(), "\0"u8, OfTheHandle, BasicAndMount, answer) == 0 ? FromStatX(answer) : null;
        }
        catch (EntryPointNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Converts a path to the form that <see cref="Read(ReadOnlySpan{byte})"/> expects.</summary>
    public static byte[] ToBytes(string path) => System.Text.Encoding.UTF8.GetBytes(path + '\0');

    /// <summary>Returns whether both describe the same file.</summary>
    public bool IsSameFile(FileFacts other) => Exists && other.Exists && Device == other.Device && Inode == other.Inode;

    // struct statx has the same layout on every architecture.
    private static FileFacts FromStatX(ReadOnlySpan<byte> answer)
    {
        var mask = MemoryMarshal.Read<uint>(answer);
        var attributes = MemoryMarshal.Read<ulong>(answer[8..]) & MemoryMarshal.Read<ulong>(answer[56..]);
        return new FileFacts(
            Exists: true,
            Device: ((ulong)MemoryMarshal.Read<uint>(answer[136..]) << 32) | MemoryMarshal.Read<uint>(answer[140..]),
            Inode: MemoryMarshal.Read<ulong>(answer[32..]),
            Links: MemoryMarshal.Read<uint>(answer[16..]),
            IsMountPoint: (attributes & MountRoot) != 0,
            Mount: (mask & MountKnown) != 0 ? MemoryMarshal.Read<ulong>(answer[144..]) : null);
    }

    // struct stat of macOS with 64-bit inodes.
    private static FileFacts FromStat(ReadOnlySpan<byte> answer) => new(
        Exists: true,
        Device: MemoryMarshal.Read<uint>(answer),
        Inode: BinaryPrimitives.ReadUInt64LittleEndian(answer[8..]),
        Links: MemoryMarshal.Read<ushort>(answer[6..]),
        IsMountPoint: false,
        Mount: null);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static partial int StatX(int folder, ReadOnlySpan<byte> path, int flags, uint mask, Span<byte> answer);

    [LibraryImport("libc", EntryPoint = "stat", SetLastError = true)]
    private static partial int Stat(ReadOnlySpan<byte> path, Span<byte> answer);

    [LibraryImport("libc", EntryPoint = "stat$INODE64", SetLastError = true)]
    private static partial int StatWithLongInodes(ReadOnlySpan<byte> path, Span<byte> answer);
}
