using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskRecovery;
using TaskRecovery.Configuration;
using TaskRecovery.Sqlite;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the SQLite store.</summary>
public static class SqliteTaskRecoveryBuilderExtensions
{
    /// <summary>Stores the queue in a SQLite file, which is created if it does not exist. Several processes of one machine may share the
    /// file.</summary>
    /// <param name="builder">The builder that <c>AddTaskRecovery</c> returned.</param>
    /// <param name="connectionString">A connection string of Microsoft.Data.Sqlite that names a file on a local disk, such as
    /// <c>Data Source=tasks.db</c>. A relative path is resolved against the application domain's <c>DataDirectory</c> if that is set, and
    /// against the host's content root otherwise.</param>
    /// <param name="configure">Changes the options.</param>
    /// <exception cref="ArgumentException">The connection string is null or empty, or names no file that can hold a queue.</exception>
    /// <exception cref="InvalidOperationException">Another store was selected before, or another connection string was passed.</exception>
    public static TaskRecoveryBuilder UseSqlite(
        this TaskRecoveryBuilder builder, string connectionString, Action<SqliteOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        EmptyConnectionString.Refuse(connectionString, nameof(UseSqlite));
        _ = SqliteFile.Validate(connectionString);
        builder.SetStore("UseSqlite", connectionString);

        var services = builder.InstanceServices;
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<SqliteOptions>, SqliteOptionsValidator>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<SqliteOptions>, OwnBindingValidator<SqliteOptions>>(
            provider => new OwnBindingValidator<SqliteOptions>(provider, builder.Name)));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConfigureOptions<SqliteOptions>, SqliteOptionsBinder>());
        var options = services.AddOptions<SqliteOptions>().ValidateOnStart();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        // Use the machine's clock, which every process that shares the file reads. A custom TimeProvider of one process must not decide for
        // the others what is due or expired.
        SqliteStoreServices.Replace(services, provider => new SqliteDatabase(
            connectionString,
            provider.GetRequiredService<IOptions<SqliteOptions>>().Value,
            TimeProvider.System,
            provider.GetService<ILogger<SqliteDatabase>>(),
            provider.GetService<IHostEnvironment>()?.ContentRootPath));
        return builder;
    }
}
