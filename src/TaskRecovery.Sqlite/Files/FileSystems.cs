namespace TaskRecovery.Sqlite;

/// <summary>Recognizes, by name, file systems on which file locks or shared memory do not work between processes or machines.</summary>
internal static class FileSystems
{
    // Network and cluster file systems, and shares between a virtual machine and its host (fakeowner is Docker Desktop's). Cluster file
    // systems support locks, but no shared memory between machines.
    private static readonly HashSet<string> Shared = new(StringComparer.OrdinalIgnoreCase)
    {
        "9p", "acfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fakeowner", "gfs", "gfs2",
        "glusterfs", "gpfs", "kafs", "lustre", "ncp", "ncpfs", "nfs", "nfs3", "nfs4",
        "ocfs2", "openafs", "orangefs", "panfs", "prl_fs", "pvfs2", "smb", "smb2",
        "smb3", "smbfs", "sshfs", "v9fs", "vboxsf", "virtiofs", "vmhgfs", "webdav",
    };

    private static readonly HashSet<string> SharedInUserSpace = new(StringComparer.OrdinalIgnoreCase)
    {
        "afp", "beegfs", "blobfuse", "blobfuse2", "ceph", "ceph-fuse", "curlftpfs", "davfs",
        "davfs2", "gcsfuse", "glusterfs", "goofys", "google-drive-ocamlfuse", "grpcfuse", "gvfsd-fuse",
        "hadoop", "hdfs", "httpfs", "juicefs", "kio-fuse", "lizardfs", "mfs", "moosefs", "mountpoint-s3",
        "nfs", "osxfs", "prl_fsd", "rclone", "s3backer", "s3fs", "seaweedfs", "smbnetfs",
        "sshfs", "vmhgfs-fuse", "weed", "wdfs",
    };

    // The runtime classifies these as network drives, but they are local disks.
    private static readonly HashSet<string> Local = new(
        StringComparer.OrdinalIgnoreCase) { "aufs", "ecryptfs", "fuseblk", "overlay", "overlayfs" };

    /// <summary>Returns whether a database file on this file system can be damaged.</summary>
    /// <param name="type">The runtime's drive type.</param>
    /// <param name="format">The operating system's name of the file system: <c>ext4</c>, <c>nfs4</c>, <c>fuse.sshfs</c>.</param>
    public static bool IsShared(DriveType type, string format)
    {
        const string UserSpace = "fuse.";
        if (format.StartsWith(UserSpace, StringComparison.OrdinalIgnoreCase))
        {
            return SharedInUserSpace.Contains(format[UserSpace.Length..]);
        }

        return Shared.Contains(format) || (type == DriveType.Network && !Local.Contains(format));
    }

    /// <summary>Finds the name of a mount's file system in the text of <c>/proc/self/mountinfo</c>.</summary>
    /// <remarks>The runtime identifies file systems by a number, which is the same for all FUSE file systems; only this list has their
    /// names.</remarks>
    public static string? FindFormat(IEnumerable<string> mounts, ulong mount)
    {
        foreach (var line in mounts)
        {
            // Example: 36 35 98:0 /root /mnt rw,noatime shared:1 - ext4 /dev/sda1 rw
            var id = line.AsSpan(0, Math.Max(0, line.IndexOf(' ', StringComparison.Ordinal)));
            if (ulong.TryParse(id, out var number) && number == mount && line.IndexOf(" - ", StringComparison.Ordinal) is var end and >= 0)
            {
                var rest = line[(end + 3)..];
                return rest[..Math.Max(0, rest.IndexOf(' ', StringComparison.Ordinal))];
            }
        }

        return null;
    }

    /// <summary>The type and name of the file system that a folder is on.</summary>
    public static (DriveType Type, string Format) Describe(string folder)
    {
        var drive = new DriveInfo(OperatingSystem.IsWindows() ? Path.GetPathRoot(folder)! : folder);
        var named = OperatingSystem.IsLinux()
            && FileFacts.Read(folder) is { Mount: { } mount } ? FindFormat(File.ReadLines("/proc/self/mountinfo"), mount) : null;
        return (drive.DriveType, named ?? drive.DriveFormat);
    }
}
