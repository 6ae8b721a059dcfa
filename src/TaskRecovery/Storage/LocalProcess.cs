using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace TaskRecovery.Storage;

/// <summary>Identifies a process of this machine by its start time, so that a later process with the same id is not mistaken for it. The
/// source of <see cref="NodeIdentity.ProcessStarted"/>.</summary>
[Experimental("TASKRECOVERY001")]
public static class LocalProcess
{
    /// <summary>The name of the machine. On Linux it includes the PID namespace, so that containers with the same host name but separate
    /// process ids are distinguished.</summary>
    public static string Machine { get; } = OperatingSystem.IsLinux() && new FileInfo("/proc/self/ns/pid").LinkTarget is { } space
        ? $"{Environment.MachineName} {space}"
        : Environment.MachineName;

    /// <summary>Returns the start time of a process. The unit depends on the platform, so the value is comparable only on this
    /// machine.</summary>
    /// <returns><see langword="null"/> if the process does not exist or is a zombie.</returns>
    public static long? Started(int processId)
        => OperatingSystem.IsLinux() ? StartedOnLinux(processId) : StartedElsewhere(processId);

    // Clock ticks since boot. On Linux, Process.StartTime is derived from the wall clock and changes with it.
    private static long? StartedOnLinux(int processId)
    {
        string stat;
        try
        {
            stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/stat"));
        }
        catch (IOException)
        {
            return null;
        }

        // The second field is the name in parentheses, which may contain spaces and parentheses. The state follows it; the start time is 19
        // fields after the state.
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return fields[0] is "Z" or "X" ? null : long.Parse(fields[19], CultureInfo.InvariantCulture);
    }

    private static long? StartedElsewhere(int processId)
    {
        try
        {
            using var process = Process.GetProcessById(processId);
            return process.HasExited ? null : process.StartTime.Ticks;
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }
}
