using Microsoft.Data.Sqlite;

namespace TaskRecovery.Sqlite;

/// <summary>A commit failed in a way that closes the connection, such as a sync of the log that failed. The log may contain the whole
/// transaction: if this was the only connection, the next one recovers it. So whether it is kept is unknown, and it must not be
/// repeated.</summary>
internal sealed class CommitUnknownException(SqliteException error) : IOException(error.Message, error);
