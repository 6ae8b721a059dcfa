namespace TaskRecovery.Jobs;

/// <summary>The jobs that the application declares in its code, by name. If a name is declared twice, the last declaration
/// counts.</summary>
internal sealed class DeclaredJobs
{
    private readonly Dictionary<string, JobDeclaration> _byName = new(StringComparer.Ordinal);

    public IReadOnlyCollection<JobDeclaration> All => _byName.Values;

    public void Add(JobDeclaration declaration)
    {
        _byName.Remove(declaration.Name);
        _byName.Add(declaration.Name, declaration);
    }

    public bool Contains(string name) => _byName.ContainsKey(name);
}
