using System.ComponentModel;
using System.Runtime.InteropServices;

namespace TaskRecovery.TestSupport;

/// <summary>A POSIX signal that a test sends to a process.</summary>
public sealed partial class Signal
{
    private readonly int _number;

    private Signal(int number) => _number = number;

    /// <summary>SIGKILL: the process ends at once and runs nothing more.</summary>
    public static Signal Kill { get; } = new(9);

    /// <summary>SIGTERM: asks a host to shut down.</summary>
    public static Signal Terminate { get; } = new(15);

    /// <summary>SIGSTOP: the process stands still, with everything it holds.</summary>
    public static Signal Stop { get; } = new(OperatingSystem.IsMacOS() ? 17 : 19);

    /// <summary>SIGCONT: a stopped process goes on.</summary>
    public static Signal Continue { get; } = new(OperatingSystem.IsMacOS() ? 19 : 18);

    /// <summary>Sends it. A process that is gone already is an error: a kill that hit nothing proves nothing.</summary>
    public void SendTo(int processId)
    {
        if (kill(processId, _number) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"kill({processId}, {_number}) failed");
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int sig);
}
