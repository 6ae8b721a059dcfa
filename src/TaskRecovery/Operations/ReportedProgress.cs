namespace TaskRecovery;

/// <summary>The progress that a handler reported with <see cref="WorkContext.ReportProgressAsync"/>.</summary>
/// <param name="Done">How much is done.</param>
/// <param name="Total">How much there is to do; <see langword="null"/> if it is not known.</param>
/// <param name="Message">What the handler is doing; <see langword="null"/> if it did not say.</param>
/// <param name="ReportedAt">When it was stored.</param>
/// <param name="Fence">The fence of the run that reported it.</param>
public sealed record ReportedProgress(long Done, long? Total, string? Message, DateTimeOffset ReportedAt, long Fence);
