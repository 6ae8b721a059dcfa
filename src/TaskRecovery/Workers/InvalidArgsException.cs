namespace TaskRecovery.Workers;

/// <summary>An entry's arguments can't be read as the type that its worker expects. The entry is retried, because a node of another version
/// may be able to read them.</summary>
internal sealed class InvalidArgsException(string message, Exception? innerException) : TaskRecoveryException(message, innerException);
