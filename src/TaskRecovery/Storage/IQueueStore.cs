using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The storage of the queue: entries, claims, outcomes and recovery. Every write is atomic and preserves every rule of
/// docs/concepts.md.</summary>
/// <remarks>A class of the engine asks for the part that it needs; a store implements all of them and registers itself as this interface.
/// A store throws <see cref="StoreUnavailableException"/> if retrying may help, and <see cref="StoreConfigurationException"/> if an
/// operator must act. The conformance suite tests what each method promises.</remarks>
[Experimental("TASKRECOVERY001")]
public interface IQueueStore : IStoreLifecycle, IEntryStore, IRecoveryStore, IOperatorStore, IStoreSignals;
