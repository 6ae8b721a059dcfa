using Npgsql;

namespace TaskRecovery.PostgreSql;

/// <summary>The source of connections: the library's own connection string, or the application's data source.</summary>
/// <param name="ConnectionString">The library's own connection string.</param>
/// <param name="DataSource">The application's data source; the application disposes of it.</param>
internal sealed record PostgreSqlConnectionSource(string? ConnectionString, NpgsqlDataSource? DataSource);
