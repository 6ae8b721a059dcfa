namespace TaskRecovery.Workers;

/// <summary>An entry's arguments can't be read as the type its worker wants. Trying again is no use.</summary>
internal sealed class InvalidArgsException(string message, Exception? innerException) : TaskRecoveryException(message, innerException);
