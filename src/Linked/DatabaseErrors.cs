using System.Data.Common;

namespace TaskRecovery.Storage;

/// <summary>What an error of a database driver proves.</summary>
internal static class DatabaseErrors
{
    /// <summary>Whether the database has answered a statement or a commit with an error of its own (SQLSTATE), so that nothing was
    /// stored.</summary>
    /// <remarks>The errors of the classes 08 (the connection is lost) and 57P (the server ends the session) may come after the
    /// commit.</remarks>
    internal static bool IsAnswer(Exception exception)
        => exception is DbException { SqlState: { } state }
            && !state.StartsWith("08", StringComparison.Ordinal) && !state.StartsWith("57P", StringComparison.Ordinal);
}
