using System.Globalization;

namespace TaskRecovery.Benchmarks.Stores;

/// <summary>Reads what processes have used, from the operating system.</summary>
internal static class ServerCpu
{
    /// <summary>Milliseconds of the first process, of its children, and of those that have ended.</summary>
    public static double Read(string dataFolder)
    {
        var pidFile = Path.Combine(dataFolder, "postmaster.pid");
        if (!OperatingSystem.IsLinux() || !File.Exists(pidFile))
        {
            return 0;
        }

        var pid = File.ReadLines(pidFile).First().Trim();
        var ticks = Ticks(Fields(pid), withEnded: true);
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            var name = Path.GetFileName(folder);
            if (char.IsAsciiDigit(name[0]) && Fields(name) is { } fields && fields[1] == pid)
            {
                ticks += Ticks(fields, withEnded: false);
            }
        }

        return ticks * 10;
    }

    /// <summary>Milliseconds of the children of this process that have ended; not a number if the operating system does not count
    /// that.</summary>
    public static double ReadEndedChildren()
        => OperatingSystem.IsLinux()
            ? Fields("self")!.Skip(13).Take(2).Sum(field => double.Parse(field, CultureInfo.InvariantCulture)) * 10
            : double.NaN;

    private static double Ticks(string[]? fields, bool withEnded)
        => fields?.Skip(11).Take(withEnded ? 4 : 2).Sum(field => double.Parse(field, CultureInfo.InvariantCulture)) ?? 0;

    private static string[]? Fields(string pid)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{pid}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }
}
