using Microsoft.Extensions.Logging;

namespace TaskRecovery;

/// <summary>A log line of a run.</summary>
/// <param name="Fence">The fence of the run.</param>
/// <param name="At">When it was written, by the clock of the node.</param>
/// <param name="Level">The level.</param>
/// <param name="Category">The category of the logger.</param>
/// <param name="Message">The text, with the exception if there was one.</param>
public sealed record RunLogLine(long Fence, DateTimeOffset At, LogLevel Level, string Category, string Message);
