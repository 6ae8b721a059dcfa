namespace TaskRecovery.Dashboard.Api;

/// <summary>The checkpoint of an entry.</summary>
/// <param name="StoredAt">When it was stored.</param>
/// <param name="Fence">The fence of the run that stored it.</param>
/// <param name="Bytes">The size.</param>
/// <param name="Value">The checkpoint as JSON; <see langword="null"/> if the redactor hides it.</param>
internal sealed record ApiCheckpoint(DateTimeOffset StoredAt, long Fence, long Bytes, string? Value);
