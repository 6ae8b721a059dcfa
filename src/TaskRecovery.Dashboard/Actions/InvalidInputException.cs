namespace TaskRecovery.Dashboard.Actions;

/// <summary>What a user sent can't be used. The message says what is wrong and what to do.</summary>
internal sealed class InvalidInputException(string message) : Exception(message);
