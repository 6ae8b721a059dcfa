using System.Diagnostics;

namespace TaskRecovery.TestSupport;

/// <summary>Finds the programs of a PostgreSQL installation on this machine.</summary>
internal static class PostgresBinaries
{
    private static readonly string[] Roots =
    [
        "/usr/lib/postgresql", "/usr/pgsql", "/usr/local/pgsql", "/usr/local/opt", "/opt/homebrew/opt", "/opt/local/lib",
        "/Applications/Postgres.app/Contents/Versions", "/usr/lib/postgres", "/usr/libexec/postgresql",
    ];

    /// <summary>The folder with <c>initdb</c>, <c>pg_ctl</c> and <c>postgres</c> of the newest version, or null.</summary>
    public static string? Find() =>
        Candidates()
            .Where(folder => IsThere(Path.Combine(folder, "initdb")) && IsThere(Path.Combine(folder, "pg_ctl")))
            .Select(WhereItsLinksPoint)
            .Select(folder => (Folder: folder, Version: VersionOf(folder)))
            .Where(found => found.Version is not null)
            .OrderByDescending(found => found.Version)
            .Select(found => found.Folder)
            .FirstOrDefault();

    private static IEnumerable<string> Candidates()
    {
        var path = Environment.GetEnvironmentVariable("PATH") ?? "";
        foreach (var folder in path.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
        {
            yield return folder;
        }

        foreach (var root in Roots.Where(Directory.Exists))
        {
            yield return Path.Combine(root, "bin");
            foreach (var version in Directory.GetDirectories(root))
            {
                yield return Path.Combine(version, "bin");
            }
        }

        foreach (var packaged in Directory.Exists("/usr") ? Directory.GetDirectories("/usr", "pgsql-*") : [])
        {
            yield return Path.Combine(packaged, "bin");
        }
    }

    /// <summary>Returns whether a program can be run. A link to a removed program counts as a file, but can't be run.</summary>
    private static bool IsThere(string program) =>
        File.Exists(program) && File.ResolveLinkTarget(program, returnFinalTarget: true) is not { Exists: false };

    /// <summary>Resolves a folder that has links to a few of the programs: the other programs are in the folder that the links point
    /// to.</summary>
    private static string WhereItsLinksPoint(string folder) =>
        Path.GetDirectoryName(File.ResolveLinkTarget(Path.Combine(folder, "initdb"), returnFinalTarget: true)?.FullName) ?? folder;

    private static Version? VersionOf(string folder)
    {
        var start = new ProcessStartInfo(Path.Combine(folder, "initdb"), "--version") { RedirectStandardOutput = true };
        using var process = Process.Start(start);
        var words = process?.StandardOutput.ReadToEnd().Split(' ', '\n') ?? [];
        process?.WaitForExit();
        return words
            .Select(word
                => Version.TryParse(word, out var version) ? version : int.TryParse(word, out var major) ? new Version(major, 0) : null)
            .FirstOrDefault(version => version is not null);
    }
}
