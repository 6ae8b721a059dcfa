using System.Globalization;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql.Tests.Sql;

public sealed class CodesTests
{
    [Fact]
    public void Numbers_in_statements_are_those_of_the_enumerations()
    {
        Assert.Equal(
            Text(
                OutcomeKind.Completed, OutcomeKind.Failed, OutcomeKind.Cancelled,
                OutcomeKind.Retried, OutcomeKind.Released, OutcomeKind.Lost, OutcomeKind.Superseded),
            [
                Codes.OutcomeCompleted, Codes.OutcomeFailed, Codes.OutcomeCancelled,
                Codes.OutcomeRetried, Codes.OutcomeReleased, Codes.OutcomeLost,
                Codes.OutcomeSuperseded,
            ]);
        Assert.Equal(Text(JobState.Active, JobState.Paused, JobState.Ended), [Codes.JobActive, Codes.JobPaused, Codes.JobEnded]);
        Assert.Equal(
            Text(TaskState.Created, TaskState.Running, TaskState.Completed, TaskState.Failed, TaskState.Cancelled),
            [Codes.TaskCreated, Codes.TaskRunning, Codes.TaskCompleted, Codes.TaskFailed, Codes.TaskCancelled]);
        Assert.Equal($"t.state < {Codes.TaskCompleted}", Codes.TaskUnfinished);
    }

    private static IEnumerable<string> Text<T>(params T[] values)
        where T : struct, Enum
        => values.Select(static value => Convert.ToInt32(value, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture));
}
