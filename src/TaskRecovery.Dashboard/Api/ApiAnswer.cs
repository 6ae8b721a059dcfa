namespace TaskRecovery.Dashboard.Api;

/// <summary>The answer to an action.</summary>
/// <param name="Result">A stable code, such as <c>retried</c> or <c>refused-key</c>.</param>
/// <param name="Path">What changed, as a path of the dashboard.</param>
/// <param name="Number">The entry that the code is about; <see langword="null"/> if it is about none.</param>
/// <param name="Undo">The operation that can be undone; <see langword="null"/> if there is none.</param>
/// <param name="Entries">How many entries a prepared operation would change; <see langword="null"/> for other actions.</param>
internal sealed record ApiAnswer(string Result, string Path, long? Number, long? Undo, Count? Entries);
