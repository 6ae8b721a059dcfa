namespace TaskRecovery;

/// <summary>A text of the application that the dashboard is about to show.</summary>
/// <param name="Part">What the text is.</param>
/// <param name="Kind">The kind of the entry or job, the same for a job and its runs; <see langword="null"/> if it is not
/// known.</param>
/// <param name="Name">The name of the step, or the key of the metadata; otherwise <see langword="null"/>.</param>
/// <param name="Text">The text.</param>
public sealed record DashboardText(DashboardPart Part, string? Kind, string? Name, string Text);
