namespace TaskRecovery;

/// <summary>The state of a node.</summary>
public enum NodeState
{
    /// <summary>Its heartbeats arrive.</summary>
    Alive = 0,

    /// <summary>Its heartbeats do not arrive, and no node has declared it dead yet.</summary>
    Silent = 1,

    /// <summary>It was declared dead, which is final.</summary>
    Dead = 2,

    /// <summary>It stopped by itself.</summary>
    Left = 3,
}
