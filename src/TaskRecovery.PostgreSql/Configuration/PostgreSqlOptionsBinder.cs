using Microsoft.Extensions.Options;
using TaskRecovery.Configuration;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Binds <c>TaskRecovery:PostgreSql</c>. An unknown name in the section is an error.</summary>
internal sealed class PostgreSqlOptionsBinder(IEnumerable<StoreConfiguration> configurations) : IConfigureOptions<PostgreSqlOptions>
{
    public void Configure(PostgreSqlOptions options)
    {
        foreach (var configuration in configurations)
        {
            Settings.Bind(configuration.Section.GetSection("PostgreSql"), new()
            {
                [nameof(options.Schema)] = value => options.Schema = Settings.Text(value),
                [nameof(options.MigrateOnStart)] = value => options.MigrateOnStart = Settings.Flag(value),
                [nameof(options.UseSessionLocks)] = value => options.UseSessionLocks = Settings.Flag(value),
                [nameof(options.UseNotifications)] = value => options.UseNotifications = Settings.Flag(value),
                [nameof(options.MonitorConnectionString)] = value => options.MonitorConnectionString = Settings.Text(value),
                [nameof(options.CommandTimeout)] = value => options.CommandTimeout = Settings.Time(value),
            });
        }
    }
}
