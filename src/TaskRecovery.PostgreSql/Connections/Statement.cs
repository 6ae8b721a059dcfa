using Npgsql;

namespace TaskRecovery.PostgreSql;

/// <summary>One statement of a batch.</summary>
/// <param name="Text">The statement, with <c>{schema}</c> as the placeholder of the schema.</param>
/// <param name="Args">Its parameters.</param>
internal readonly record struct Statement(string Text, params NpgsqlParameter[] Args);
