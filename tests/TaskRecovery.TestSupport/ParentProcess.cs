using System.Diagnostics;

namespace TaskRecovery.TestSupport;

/// <summary>For the child's side of a <see cref="ChildProcess"/>.</summary>
public static class ParentProcess
{
    /// <summary>Ends this process at once when its parent is gone, so that a killed test run leaves nothing behind.</summary>
    /// <param name="onLine">Gets each line the parent writes.</param>
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
