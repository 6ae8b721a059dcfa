using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>Every finding of the doctor is provoked, and every repair that is a statement removes its finding.</summary>
public sealed class DoctorTests : IDisposable
{
    private readonly TemporaryDatabase _files = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task A_sound_file_has_no_finding()
    {
        await _files.OpenStoreAsync();

        var findings = await ExamineAsync(new DoctorLimits { FreeDiskBytes = 0 });

        Assert.All(findings, finding => Assert.Equal((FindingLevel.Ok, null), (finding.Level, finding.Repair)));
        Assert.Equal(12, findings.Select(finding => finding.Check).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task Objects_and_modes_that_are_not_the_librarys_are_found_and_repaired()
    {
        // Only the last connection can change the mode.
        using (var database = new SqliteDatabase(_files.ConnectionString, new SqliteOptions(), TimeProvider.System))
        {
            await new SqliteMigrator(database).MigrateAsync(Cancellation);
        }

        Execute("drop index taskrecovery_claims_node_idx; create trigger \"a \"\"b\"\"\" after insert on taskrecovery_waiting begin "
            + "select 1; end; pragma journal_mode = delete");

        var found = await ExamineAsync();
        foreach (var finding in found.Where(finding => finding.Check is "indexes" or "foreign code"))
        {
            Execute(finding.Repair!);
        }

        var left = await ExamineAsync();

        Assert.Contains(found, finding
            => finding is { Check: "indexes", Level: FindingLevel.Problem, Text: "Index taskrecovery_claims_node_idx is missing." });
        Assert.Contains(
            found, finding => finding is { Check: "foreign code", Level: FindingLevel.Problem, Repair: "drop trigger \"a \"\"b\"\"\"" });
        Assert.Contains(
            found, finding => finding is { Check: "journal", Level: FindingLevel.Warning, Repair: "pragma journal_mode = wal" });
        Assert.All(left.Where(finding => finding.Check is "indexes" or "foreign code"), finding => Assert.Equal(
            FindingLevel.Ok, finding.Level));
    }

    [Fact]
    public async Task Entries_that_are_held_or_kept_for_too_long_are_found()
    {
        var store = await _files.OpenStoreAsync();
        var stored = await store.EnqueueAsync([TemporaryDatabase.Entry(), TemporaryDatabase.Entry()], null, Cancellation);
        await store.CancelAsync(stored[0].Id, new AuditInfo("test"), Cancellation);
        using var node = TemporaryDatabase.Join(store, "slow", out var id);
        await store.CreateClaimer(id, "default", ["work"]).ClaimAsync(1, default, Cancellation);

        var found = await ExamineAsync(new DoctorLimits { Claim = TimeSpan.Zero, Retention = TimeSpan.Zero });

        var held = Assert.Single(found, finding => finding.Check == "held entries");
        Assert.StartsWith("Node slow holds 1 entries since", held.Text, StringComparison.Ordinal);
        Assert.Equal($"taskrecovery show {stored[1].Id}; taskrecovery cancel {stored[1].Id}", held.Repair);
        Assert.Contains(found, finding => finding is { Check: "retention", Level: FindingLevel.Warning });
    }

    [Fact]
    public async Task A_log_that_grows_a_full_disk_and_free_pages_are_found()
    {
        await _files.OpenStoreAsync();
        Execute("create table big (data blob); insert into big values (zeroblob(4000000)); drop table big");

        var found = await ExamineAsync(new DoctorLimits { LogBytes = 1, FreeDiskBytes = long.MaxValue });

        Assert.Contains(found, finding => finding is { Check: "log size", Level: FindingLevel.Warning });
        Assert.Contains(found, finding => finding is { Check: "free space", Level: FindingLevel.Warning });
        Assert.Contains(
            found, finding => finding is { Check: "sizes", Level: FindingLevel.Warning, Repair: "Stop every node, then run: vacuum" });
    }

    [Fact]
    public async Task A_network_drive_an_old_release_and_rights_of_others_are_found()
    {
        await _files.OpenStoreAsync();
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(_files.File, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        }

        var found = await ExamineAsync(drive: _ => (DriveType.Network, "nfs4"), sqlite: 3_040_000);

        Assert.Contains(found, finding => finding is { Check: "network drive", Level: FindingLevel.Problem });
        Assert.Contains(found, finding => finding is { Check: "version", Level: FindingLevel.Problem });
        if (!OperatingSystem.IsWindows())
        {
            Assert.Contains(found, finding => finding is { Check: "rights", Level: FindingLevel.Warning } && finding.Repair!.Contains(
                "chmod 600", StringComparison.Ordinal));
            Assert.Contains(found, finding
                => finding is { Check: "rights", Level: FindingLevel.Problem } && finding.Repair == $"chmod u+w '{_files.File}'");
        }
    }

    [Fact]
    public async Task A_damaged_page_is_found()
    {
        await _files.OpenStoreAsync();
        Execute("create table big (data text); create index big_idx on big (data); insert into big select hex(randomblob(50)) "
            + "from json_each('[' || substr(replace(hex(zeroblob(500)), '00', '1,'), 1, 999) || ']'); pragma wal_checkpoint(truncate)");
        await using (var file = new FileStream(_files.File, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            file.Position = file.Length - 4096;
            file.Write(new byte[2000]);
        }

        var found = await ExamineAsync();

        Assert.Contains(found, finding => finding is { Check: "quick_check", Level: FindingLevel.Problem } && finding.Repair!.Contains(
            ".recover", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_cannot_be_checked_stops_no_other_check()
    {
        Execute("create table other (id integer)");

        var found = await ExamineAsync();

        Assert.Contains(
            found, finding => finding is { Check: "held entries", Level: FindingLevel.Problem, Text: "This could not be checked." });
        Assert.Contains(found, finding => finding is { Check: "sizes", Level: FindingLevel.Ok });
    }

    private void Execute(string statements)
    {
        using var connection = new Microsoft.Data.Sqlite.SqliteConnection($"{_files.ConnectionString};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = statements;
        command.ExecuteNonQuery();
    }

    private async Task<IReadOnlyList<StoreFinding>> ExamineAsync(
        DoctorLimits? limits = null, Func<string, (DriveType Type, string Format)>? drive = null, int? sqlite = null)
    {
        using var opened = new SqliteDatabase(_files.ConnectionString, new SqliteOptions(), TimeProvider.System);
        using var database = new SqliteDatabase(_files.ConnectionString, new SqliteOptions(), TimeProvider.System)
        {
            SqliteVersion = sqlite ?? opened.SqliteVersion,
        };
        return await new SqliteDoctor(database, drive ?? FileSystems.Describe).ExamineAsync(limits ?? new DoctorLimits(), Cancellation);
    }
}
