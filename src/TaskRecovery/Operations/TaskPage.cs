namespace TaskRecovery;

/// <summary>One page of tasks.</summary>
/// <param name="Tasks">The tasks, newest first, without their results.</param>
/// <param name="NextBefore">The value of <see cref="TaskQuery.Before"/> for the next page; <see langword="null"/> if there are no further
/// tasks.</param>
/// <param name="IsComplete">Whether there are no further matching tasks.</param>
public sealed record TaskPage(IReadOnlyList<TaskRecord> Tasks, Guid? NextBefore, bool IsComplete);
