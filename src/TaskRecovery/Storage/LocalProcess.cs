using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace TaskRecovery.Storage;

/// <summary>Tells a process of this machine from a later one with the same id: <see cref="NodeIdentity.ProcessStarted"/> is what this says of the node's own process.</summary>
[Experimental("TASKRECOVERY001")]
public static class LocalProcess
{
    /// <summary>The machine, as far as process ids mean the same on it: containers that share a host name but not their processes are told apart.</summary>
    public static string Machine { get; } = OperatingSystem.IsLinux() && new FileInfo("/proc/self/ns/pid").LinkTarget is { } space
        ? $"{Environment.MachineName} {space}"
        : Environment.MachineName;

    /// <summary>When a process started, in units that mean something on this machine only.</summary>
    /// <returns><see langword="null"/> if there is no such process, or it has ended and only waits for its parent.</returns>
    public static long? Started(int processId)
        => OperatingSystem.IsLinux() ? StartedOnLinux(processId) : StartedElsewhere(processId);

    // Clock ticks since boot. Process.StartTime is computed from the wall clock there and moves with it.
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

        // The second field is the name in parentheses and may hold anything; the state comes after it, the start nineteen further.
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
