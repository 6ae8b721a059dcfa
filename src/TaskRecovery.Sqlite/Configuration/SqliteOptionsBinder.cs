using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using TaskRecovery.Configuration;
using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Binds <c>TaskRecovery:Sqlite</c>. An unknown option name is an error.</summary>
internal sealed class SqliteOptionsBinder(IEnumerable<StoreConfiguration> configurations) : IConfigureOptions<SqliteOptions>
{
    public void Configure(SqliteOptions options)
    {
        foreach (var configuration in configurations)
        {
            Settings.Bind(configuration.Section.GetSection("Sqlite"), new()
            {
                [nameof(options.Synchronous)] = value => options.Synchronous = Settings.Name<SqliteSynchronous>(value),
                [nameof(options.MigrateOnStart)] = value => options.MigrateOnStart = Settings.Flag(value),
                [nameof(options.PollInterval)] = value => options.PollInterval = Settings.Time(value),
                [nameof(options.BusyTimeout)] = value => options.BusyTimeout = Settings.Time(value),
                [nameof(options.UnixCreateMode)] = value => options.UnixCreateMode = Mode(value),
            });
        }
    }

    // Accepts only names (UserRead, UserWrite, GroupRead), because a number could be meant as octal or as decimal.
    private static UnixFileMode Mode(IConfigurationSection section)
        => Enum.TryParse<UnixFileMode>(section.Value, ignoreCase: true, out var mode) && !section.Value!.Any(char.IsAsciiDigit)
            ? mode
            : throw new InvalidOperationException(
                $"The configuration value '{section.Path}' is '{section.Value}', and names such as 'UserRead, UserWrite' are wanted.");
}
