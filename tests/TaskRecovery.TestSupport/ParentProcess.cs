using System.Diagnostics;

namespace TaskRecovery.TestSupport;

/// <summary>Used in the program that runs as a <see cref="ChildProcess"/>.</summary>
public static class ParentProcess
{
    /// <summary>Ends this process as soon as its parent has ended, so that a killed test run leaves no processes behind.</summary>
    /// <param name="onLine">Called with each line that the parent writes.</param>
    public static void ExitWhenItIsGone(Action<string>? onLine = null)
    {
        var reader = new Thread(() =>
        {
            while (Console.In.ReadLine() is { } line)
            {
                onLine?.Invoke(line);
            }

            using var self = Process.GetCurrentProcess();
            self.Kill();
        })
        {
            IsBackground = true,
            Name = "parent process",
        };
        reader.Start();
    }
}
