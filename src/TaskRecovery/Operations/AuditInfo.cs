namespace TaskRecovery;

/// <summary>Who does something, and why. It is stored with the action.</summary>
/// <param name="Actor">The person or program, as the caller knows it. At most 200 characters.</param>
/// <param name="Reason">Why it is done; <see langword="null"/> if no reason is given. At most 2,000 characters.</param>
public sealed record AuditInfo(string Actor, string? Reason = null)
{
    /// <summary>The tool that is used, such as <c>dashboard</c> or <c>cli</c>. At most 50 characters.</summary>
    public string? Tool { get; init; }
}
