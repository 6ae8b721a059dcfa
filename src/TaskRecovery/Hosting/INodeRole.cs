namespace TaskRecovery.Hosting;

/// <summary>Whether this process runs entries. A process that only enqueues is not a node: it does not send heartbeats, sweep or
/// claim.</summary>
internal interface INodeRole
{
    /// <summary>Whether this process has a worker and a queue to serve.</summary>
    bool Works { get; }
}
