using System.Diagnostics;

namespace TaskRecovery.Storage;

/// <summary>Named points at which the crash and chaos tests kill or stop a process. Calls are compiled out unless TASKRECOVERY_FAULTPOINTS
/// is defined.</summary>
/// <remarks>The tests' crash host compiles the library sources with the symbol; the packages are built without it. The crash host sets the
/// action with <c>AppDomain.CurrentDomain.SetData(FaultPoints.DataName, (Action&lt;string&gt;)...)</c>.</remarks>
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

    /// <summary>Runs the action that the test has set, if any.</summary>
    [Conditional("TASKRECOVERY_FAULTPOINTS")]
    public static void Reach(string name)
    {
        if (AppContext.GetData(DataName) is Action<string> action)
        {
            action(name);
        }
    }

    /// <summary>Whether the test host disables a rule, to prove that the chaos program's checker detects the violation. Always false in the
    /// packages.</summary>
#if TASKRECOVERY_FAULTPOINTS
    public static bool LeavesOut(string rule) => AppContext.GetData(WithoutName) is string without && without == rule;
#else
    public static bool LeavesOut(string rule) => false;
#endif
}
