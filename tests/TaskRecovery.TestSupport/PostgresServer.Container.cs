using Docker.DotNet;
using DotNet.Testcontainers.Builders;
using Testcontainers.PostgreSql;

namespace TaskRecovery.TestSupport;

/// <content>A server in a container, if a Docker engine is available.</content>
public sealed partial class PostgresServer
{
    private const string Image = "postgres:17-alpine";

    private static async Task<PostgresServer?> TryStartContainerAsync(PostgresServerOptions options)
    {
        try
        {
            var container = new PostgreSqlBuilder(Image)
                .WithCommand("-c", $"max_connections={options.MaxConnections}", "-c", $"fsync={(options.Fsync ? "on" : "off")}")
                .WithCommand([.. options.Settings.SelectMany(setting => new[] { "-c", $"{setting.Key}={setting.Value}" })])
                .Build();
            await container.StartAsync();
            return new PostgresServer(container.GetConnectionString(), $"a container of {Image}", owned: container);
        }
        catch (DockerUnavailableException)
        {
            return null;
        }
        catch (DockerApiException exception)
        {
            // The engine can't get the image, for example because there is no network.
            Console.WriteLine($"A Docker engine answers, but a container of {Image} did not start: {exception.Message}");
            return null;
        }
    }
}
