using Npgsql;

namespace TaskRecovery.PostgreSql;

/// <summary>Where connections come from: a connection string of our own, or the application's data source.</summary>
/// <param name="ConnectionString">Ours.</param>
/// <param name="DataSource">The application's, which it disposes of itself.</param>
internal sealed record PostgreSqlConnectionSource(string? ConnectionString, NpgsqlDataSource? DataSource);
