using System.ComponentModel;
using System.Runtime.InteropServices;

namespace TaskRecovery.TestSupport;

/// <summary>A POSIX signal that a test sends to a process.</summary>
public sealed partial class Signal
{
    private readonly int _number;

    private Signal(int number) => _number = number;

    /// <summary>SIGKILL: ends the process at once, without running any more of its code.</summary>
    public static Signal Kill { get; } = new(9);

    /// <summary>SIGTERM: requests that a host shuts down.</summary>
    public static Signal Terminate { get; } = new(15);

    /// <summary>SIGSTOP: pauses the process, which keeps all its locks and connections.</summary>
    public static Signal Stop { get; } = new(OperatingSystem.IsMacOS() ? 17 : 19);

    /// <summary>SIGCONT: resumes a paused process.</summary>
    public static Signal Continue { get; } = new(OperatingSystem.IsMacOS() ? 19 : 18);

    /// <summary>SIGWINCH, on which a worker process of the tests collects its garbage.</summary>
    public static Signal Collect { get; } = new(28);

    /// <summary>Sends the signal. Throws if the process has already ended, because such a kill would prove nothing.</summary>
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
