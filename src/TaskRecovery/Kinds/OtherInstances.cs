namespace TaskRecovery.Kinds;

/// <summary>The instances of TaskRecovery in this process, as one of them sees the others.</summary>
/// <param name="list">Lists all of them. Called late, because instances may be registered after this one.</param>
/// <param name="own">The kinds of this one.</param>
internal sealed class OtherInstances(Func<IEnumerable<InstanceKinds>> list, KindRegistrations own)
{
    /// <summary>Finds another instance that runs a kind.</summary>
    public InstanceKinds? FindRunning(string kind) => list().FirstOrDefault(instance => instance.Kinds != own && instance.Runs(kind));
}
