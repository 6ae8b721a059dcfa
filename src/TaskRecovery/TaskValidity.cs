namespace TaskRecovery;

/// <summary>The result of <see cref="ITaskService.IsTaskValidAsync"/>.</summary>
/// <param name="IsValid">Whether the task may still run.</param>
/// <param name="Reason">Why the task may not run (see <see cref="EndReasons"/>); <see langword="null"/> if it may.</param>
public readonly record struct TaskValidity(bool IsValid, string? Reason);
