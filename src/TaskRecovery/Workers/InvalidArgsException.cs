namespace TaskRecovery.Workers;

/// <summary>An entry's arguments can't be read as the type its worker wants. A node of another version may be able to, so the entry is tried again.</summary>
internal sealed class InvalidArgsException(string message, Exception? innerException) : TaskRecoveryException(message, innerException);
