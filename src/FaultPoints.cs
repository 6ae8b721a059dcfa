using System.Diagnostics;

namespace TaskRecovery.Storage;

/// <summary>Named places where the crash and chaos tests let a process die or stop. Calls are compiled out unless TASKRECOVERY_FAULTPOINTS is defined.</summary>
/// <remarks>The crash host of the tests compiles the libraries' sources with it; the packages have none. It sets what happens with
/// <c>AppDomain.CurrentDomain.SetData(FaultPoints.DataName, (Action&lt;string&gt;)...)</c>.</remarks>
internal static class FaultPoints
{
    public const string DataName = "TaskRecovery.FaultPoints";
    public const string WithoutName = "TaskRecovery.Without";
    public const string FenceRule = "fence";
    public const string LostAnswersRule = "lost-answers";
    public const string ClaimBeforeCommit = "claim.before_commit";
    public const string ClaimCommitted = "claim.committed";
    public const string HandlerStarted = "handler.started";
    public const string StepBetween = "step.between";
    public const string HandlerFinished = "handler.finished";
    public const string FlushMiddle = "flush.middle";
    public const string SweepMiddle = "sweep.middle";
    public const string ShutdownMiddle = "shutdown.middle";

    /// <summary>Runs the test's action, if there is one.</summary>
    [Conditional("TASKRECOVERY_FAULTPOINTS")]
    public static void Reach(string name)
    {
        if (AppContext.GetData(DataName) is Action<string> action)
        {
            action(name);
        }
    }

    /// <summary>Whether the test host skips a rule, to see that the checker of the chaos program finds it. Always false in the packages.</summary>
#if TASKRECOVERY_FAULTPOINTS
    public static bool LeavesOut(string rule) => AppContext.GetData(WithoutName) is string without && without == rule;
#else
    public static bool LeavesOut(string rule) => false;
#endif
}
