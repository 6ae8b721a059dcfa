namespace TaskRecovery.Testing;

/// <summary>Options of an application under test.</summary>
public sealed class TaskRecoveryTestingOptions
{
    /// <summary>Where the queue is kept.</summary>
    /// <value>Default: <see cref="TestStore.Sqlite"/>.</value>
    public TestStore Store { get; set; }

    /// <summary>When entries run.</summary>
    /// <value>Default: <see cref="TestRunning.Manual"/>.</value>
    public TestRunning Running { get; set; }

    /// <summary>Whether every drain allows what <see cref="DrainOptions.AllowUnserved"/> allows. For an application with entries that
    /// another one runs, although it has their worker or has not registered their kind with <c>AddKind</c>.</summary>
    /// <value>Default: <see langword="false"/>.</value>
    public bool AllowUnserved { get; set; }

    /// <summary>The clock of the application, for example a <c>FakeTimeProvider</c>. If set, it becomes the application's
    /// <see cref="TimeProvider"/>, the queue reads its time from it, and <see cref="TaskRecoveryTest.AdvanceAsync"/> calls its method
    /// <c>Advance(TimeSpan)</c>.</summary>
    /// <value>Default: <see langword="null"/>: the application's own <see cref="TimeProvider"/> if it registered one. Otherwise the queue
    /// and the application's <see cref="TimeProvider"/> have the same time, which moves with <see cref="TaskRecoveryTest.AdvanceAsync"/>
    /// only. Timers and timestamps use real time, so that the application's delays end.</value>
    public TimeProvider? Time { get; set; }

    /// <summary>How long a write to the temporary file waits, in real time, for another transaction on it. Shorter than
    /// <see cref="DrainOptions.Timeout"/>, so that a drain that waits can name the cause.</summary>
    internal TimeSpan BusyTimeout { get; set; } = TimeSpan.FromSeconds(10);
}
