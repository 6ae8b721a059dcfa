using DotNet.Testcontainers.Builders;
using Testcontainers.PostgreSql;

namespace TaskRecovery.TestSupport;

// Compiled only with -p:UseTestcontainers=true. It has not been compiled or run where this was written: the package's dependencies could
// not be restored there. It uses the documented API of Testcontainers.PostgreSql 4.x and nothing else.
public sealed partial class PostgresServer
{
    static partial void TryStartContainer(PostgresServerOptions options, ref Task<PostgresServer?>? container) =>
        container = StartContainerAsync(options);

    private static async Task<PostgresServer?> StartContainerAsync(PostgresServerOptions options)
    {
        try
        {
            var server = new PostgreSqlBuilder()
                .WithImage("postgres:17-alpine")
                .WithCommand("-c", $"max_connections={options.MaxConnections}", "-c", $"fsync={(options.Fsync ? "on" : "off")}")
                .WithCommand([.. options.Settings.SelectMany(setting => new[] { "-c", $"{setting.Key}={setting.Value}" })])
                .Build();
            await server.StartAsync();
            return new PostgresServer(server.GetConnectionString(), owned: server);
        }
        catch (DockerUnavailableException)
        {
            return null;
        }
    }
}
