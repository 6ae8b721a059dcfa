namespace TaskRecovery.Dashboard.Api;

/// <summary>A finished step with its result.</summary>
/// <param name="Number">Its number among the steps of the entry, from 1.</param>
/// <param name="Name">The name; <see langword="null"/> if the redactor hides it.</param>
/// <param name="StoredAt">When it was stored.</param>
/// <param name="Fence">The fence of the run that stored it.</param>
/// <param name="Bytes">The size of the result.</param>
/// <param name="Result">The result as JSON; <see langword="null"/> if the redactor hides it.</param>
internal sealed record ApiStep(int Number, string? Name, DateTimeOffset StoredAt, long Fence, long Bytes, string? Result);
