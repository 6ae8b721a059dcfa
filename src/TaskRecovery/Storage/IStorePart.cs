using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>What every part of a queue store has.</summary>
[Experimental("TASKRECOVERY001")]
public interface IStorePart
{
    /// <summary>The properties of this store on which the engine depends.</summary>
    StoreTraits Traits { get; }
}
