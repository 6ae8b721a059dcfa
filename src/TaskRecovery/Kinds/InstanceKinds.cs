namespace TaskRecovery.Kinds;

/// <summary>The kinds that one instance of TaskRecovery registers.</summary>
/// <param name="Name">The name of the instance; <see langword="null"/> for the one without a name.</param>
/// <param name="Kinds">Its kinds.</param>
internal sealed record InstanceKinds(string? Name, KindRegistrations Kinds)
{
    /// <summary>Returns whether the instance runs entries of a kind.</summary>
    public bool Runs(string kind) => Kinds.All.Any(registration => registration.IsWorked && registration.Kind == kind);
}
