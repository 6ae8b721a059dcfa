using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>Where the file is, and who may use it.</summary>
public sealed class FileAccessTests : IDisposable
{
    private const UnixFileMode Own = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode WithGroup = Own | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;
    private const int FileIsExposed = 5102;

    private readonly TemporaryDatabase _files = new();

    [Theory]
    [InlineData(null)]
    [InlineData(WithGroup)]
    public async Task Files_are_created_for_their_user_or_for_whom_the_option_names(UnixFileMode? mode)
    {
        var store = await _files.OpenStoreAsync(options => options.UnixCreateMode = mode ?? options.UnixCreateMode);
        using var session = store.OpenNodeSession();
        session.Register(TemporaryDatabase.Identity("worker"));

        var files = Directory.GetFiles(_files.Folder);

        Assert.Equal(5, files.Length);
        Assert.All(files, file => Assert.Equal(mode ?? Own, ModeOf(file)));
    }

    [Fact]
    public async Task A_file_that_others_may_read_is_warned_about_at_the_start()
    {
        await _files.OpenStoreAsync();
        SetMode(_files.File, Own | UnixFileMode.OtherRead);

        Assert.Contains("OtherRead", Assert.Single(await WarningsAsync()), StringComparison.Ordinal);
        Assert.Empty(await WarningsAsync(options => options.UnixCreateMode = Own | UnixFileMode.OtherRead));
    }

    [Theory]
    [InlineData(UnixFileMode.OtherWrite, "every user")]
    [InlineData(UnixFileMode.GroupWrite, "group")]
    public async Task A_folder_that_others_may_write_is_warned_about_at_the_start(UnixFileMode more, string who)
    {
        SetMode(_files.Folder, Own | UnixFileMode.UserExecute | more);

        Assert.Contains(who, Assert.Single(await WarningsAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_logger_that_throws_at_the_warning_ends_no_start()
    {
        await _files.OpenStoreAsync();
        SetMode(_files.File, Own | UnixFileMode.OtherRead);
        var log = new RecordedLog { OnEntry = static _ => throw new InvalidOperationException("no sink") };

        await _files.Store(_files.Open(log: log)).PrepareAsync(CancellationToken.None);
    }

    [Fact]
    public void A_relative_path_starts_from_the_content_root()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = _files.Folder });
        builder.Services.AddTaskRecovery().UseSqlite("Data Source=data/tasks.db");
        using var host = builder.Build();

        Assert.Equal(Path.Combine(_files.Folder, "data", "tasks.db"), host.Services.GetRequiredService<SqliteDatabase>().Path);
    }

    [Fact]
    public void The_data_directory_of_the_application_domain_is_resolved()
    {
        var domain = AppDomain.CurrentDomain;
        var before = domain.GetData("DataDirectory");
        try
        {
            domain.SetData("DataDirectory", null);
            var error = Assert.Throws<ArgumentException>(() => new SqliteFile("Data Source=|DataDirectory|tasks.db"));
            domain.SetData("DataDirectory", _files.Folder);

            Assert.Contains("SetData", error.Message, StringComparison.Ordinal);
            Assert.Equal(_files.File, new SqliteFile("Data Source=|DataDirectory|tasks.db").FullPath);
            Assert.Equal(_files.File, new SqliteFile("Data Source=tasks.db", contentRoot: "/elsewhere").FullPath);
        }
        finally
        {
            domain.SetData("DataDirectory", before);
        }
    }

    [Theory]
    [InlineData(UnixFileMode.UserRead)]
    [InlineData(Own | UnixFileMode.GroupExecute)]
    public void A_mode_without_the_users_own_rights_or_with_strange_ones_is_refused(UnixFileMode mode)
    {
        var result = new SqliteOptionsValidator().Validate(null, new SqliteOptions { UnixCreateMode = mode });

        Assert.Contains("UnixCreateMode", Assert.Single(result.Failures!), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DriveType.Network, "nfs", true)]
    [InlineData(DriveType.Network, "cifs", true)]
    [InlineData(DriveType.Network, "newfs", true)]
    [InlineData(DriveType.Fixed, "ext4", false)]
    [InlineData(DriveType.Ram, "tmpfs", false)]
    [InlineData(DriveType.Unknown, "overlay", false)]
    [InlineData(DriveType.Unknown, "9p", true)]
    [InlineData(DriveType.Unknown, "smb3", true)]
    [InlineData(DriveType.Unknown, "beegfs", true)]
    [InlineData(DriveType.Unknown, "ocfs2", true)]
    [InlineData(DriveType.Unknown, "fuse.sshfs", true)]
    [InlineData(DriveType.Network, "fuse.glusterfs", true)]
    [InlineData(DriveType.Unknown, "fuse.s3fs", true)]
    [InlineData(DriveType.Unknown, "fakeowner", true)]
    [InlineData(DriveType.Unknown, "fuse.gvfsd-fuse", true)]
    [InlineData(DriveType.Unknown, "fuse.kio-fuse", true)]
    [InlineData(DriveType.Network, "fuse.gocryptfs", false)]
    [InlineData(DriveType.Network, "fuseblk", false)]
    [InlineData(DriveType.Network, "ecryptfs", false)]
    [InlineData(DriveType.Network, "aufs", false)]
    public void A_drive_of_another_machine_is_refused(DriveType type, string format, bool isShared)
        => Assert.Equal(isShared, FileSystems.IsShared(type, format));

    [Fact]
    public void The_file_system_of_a_mount_is_found_by_its_number()
    {
        string[] mounts =
        [
            "22 28 0:21 / /proc rw,nosuid shared:5 - proc proc rw",
            @"41 28 0:49 / /mnt/far\040away rw,relatime shared:97 master:2 - fuse.s3fs s3fs rw,user_id=0",
        ];

        Assert.Equal("fuse.s3fs", FileSystems.FindFormat(mounts, 41));
        Assert.Null(FileSystems.FindFormat(mounts, 4));
    }

    public void Dispose() => _files.Dispose();

    private async Task<IEnumerable<string>> WarningsAsync(Action<SqliteOptions>? configure = null)
    {
        var log = new RecordedLog();
        await _files.Store(_files.Open(configure, log: log)).PrepareAsync(CancellationToken.None);
        return log.Entries.Where(entry => entry is { Id: FileIsExposed, Level: LogLevel.Warning }).Select(entry => entry.Message);
    }

    private static UnixFileMode ModeOf(string file)
        => OperatingSystem.IsWindows() ? throw new PlatformNotSupportedException() : File.GetUnixFileMode(file);

    private static void SetMode(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, mode);
        }
    }
}
