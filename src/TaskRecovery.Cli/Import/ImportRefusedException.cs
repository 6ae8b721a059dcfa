namespace TaskRecovery.Cli.Import;

/// <summary>One item can't be imported. The message is the reason, and the remedy if there is one.</summary>
internal sealed class ImportRefusedException(string message) : Exception(message);
