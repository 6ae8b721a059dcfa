namespace TaskRecovery.Instances;

/// <summary>Runs the start-up hooks of named instances side by side. A hook waits for a store that does not answer, for up to five seconds:
/// one after the other, several unreachable databases would delay the start of the host by as much each.</summary>
internal sealed class InstanceStarts
{
    private readonly Lock _gate = new();
    private readonly List<NamedInstanceHost> _hosts = [];
    private readonly Dictionary<int, Dictionary<NamedInstanceHost, Task>> _starts = [];

    /// <summary>Creates the hosted service of an instance. An application creates all its hosted services before it starts the
    /// first.</summary>
    /// <param name="instance">The instance.</param>
    /// <param name="group">Instances of one group start side by side.</param>
    public NamedInstanceHost NewHost(NamedInstance instance, int group)
    {
        var host = new NamedInstanceHost(instance, this, group);
        lock (_gate)
        {
            _hosts.Add(host);
        }

        return host;
    }

    /// <summary>Begins the start of all instances of a group, if that has not happened yet, and waits for them.</summary>
    /// <returns>Fails with the error of the given instance. The others have ended by then: the application disposes them if its start
    /// fails.</returns>
    public async Task StartAsync(NamedInstanceHost host, CancellationToken cancellationToken)
    {
        var starts = Begin(host.Group, cancellationToken);
        await Task.WhenAll(starts.Values).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await starts[host].ConfigureAwait(false);
    }

    private Dictionary<NamedInstanceHost, Task> Begin(int group, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (!_starts.TryGetValue(group, out var starts))
            {
                starts = _hosts.Where(host => host.Group == group).ToDictionary(
                    static host => host, host => Task.Run(() => host.StartingOnceAsync(cancellationToken), CancellationToken.None));
                _starts.Add(group, starts);
            }

            return starts;
        }
    }
}
