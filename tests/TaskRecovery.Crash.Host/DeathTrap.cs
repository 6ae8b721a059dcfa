using TaskRecovery.Storage;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Crash.Host;

/// <summary>Makes the process kill itself at a named fault point.</summary>
internal static class DeathTrap
{
    public static void Set(HostSettings settings, Journal journal)
    {
        AppDomain.CurrentDomain.SetData(FaultPoints.WithoutName, settings.Without);
        if (settings.DieAt is not { } name)
        {
            return;
        }

        var passed = 0;
        AppDomain.CurrentDomain.SetData(FaultPoints.DataName, (Action<string>)Reached);

        void Reached(string point)
        {
            if (point == name && Interlocked.Increment(ref passed) > settings.DieAfter)
            {
                journal.Write(0, 0, JournalEvents.Dying, point);
                Signal.Kill.SendTo(Environment.ProcessId);
                Thread.Sleep(Timeout.Infinite);
            }
        }
    }
}
