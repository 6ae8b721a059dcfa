namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>A statement that the store plans once for each connection.</summary>
/// <param name="Name">The name of the prepared statement.</param>
/// <param name="Types">The types of its parameters.</param>
/// <param name="Text">Its text.</param>
/// <param name="MayScan">The table that it may read as a whole.</param>
internal sealed record PlannedStatement(string Name, string Types, string Text, string? MayScan = null);
