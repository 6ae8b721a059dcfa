using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Import;
using TaskRecovery.Storage;

namespace TaskRecovery.Cli.Connections;

/// <summary>The library's services over one database. No host is started, so this process is never a node and claims nothing.</summary>
internal sealed class StoreSession : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly ConnectionText _connection;
    private readonly string? _schema;

    private StoreSession(ServiceProvider services, ConnectionText connection, string? schema)
    {
        _services = services;
        _connection = connection;
        _schema = schema;
    }

    /// <summary>The database for questions and messages, and the schema in it unless it is the usual one.</summary>
    public string Where => _schema is null or "taskrecovery" ? _connection.Where : $"schema {_schema} of {_connection.Where}";

    /// <summary>Whether a change may be stored although the call was cancelled, because a server had received it. A write to a file that
    /// was cancelled is never stored.</summary>
    public bool HasServer => _connection.File is null;

    /// <summary>The read model.</summary>
    public IQueueMonitor Monitor => _services.GetRequiredService<IQueueMonitor>();

    /// <summary>The actions.</summary>
    public IQueueOperator Operator => _services.GetRequiredService<IQueueOperator>();

    /// <summary>The queue, for a session of one kind.</summary>
    public IJobQueue Queue => _services.GetRequiredService<IJobQueue>();

    /// <summary>The jobs.</summary>
    public IJobService Jobs => _services.GetRequiredService<IJobService>();

    /// <summary>The migrations.</summary>
    public IStoreMigrator Migrator => _services.GetRequiredService<IStoreMigrator>();

    /// <summary>The checks of the database and its server.</summary>
    public IStoreDoctor Doctor => _services.GetRequiredService<IStoreDoctor>();

    /// <summary>The check of the invariant.</summary>
    public IRecoveryStore Recovery => _services.GetRequiredService<IRecoveryStore>();

    /// <summary>Creates the services. Nothing is opened yet.</summary>
    public static StoreSession Create(ConnectionText connection, string? schema, Action<TaskRecoveryOptions> configure)
        => Create(connection, schema, configure, kind: null);

    /// <summary>Creates a session over the same database whose queue and jobs store arguments of a kind that only this command
    /// line names.</summary>
    public StoreSession ForKind(string kind) => Create(_connection, _schema, static _ => { }, kind);

    /// <summary>Creates what copies the file.</summary>
    /// <exception cref="CommandException">The database is not a file, or the file does not exist.</exception>
    public FileBackup OpenBackup()
    {
        if (_connection.File is null)
        {
            throw CommandException.Usage(
                $"'backup' copies a file of SQLite, and this is {Where}. Use pg_dump, or the backup of your server.");
        }

        RequireFile();
        return new FileBackup(_connection);
    }

    /// <summary>Creates the access to the record of imports.</summary>
    public ImportRecords OpenImportRecords() => ImportRecords.Create(_connection, _schema);

    private static StoreSession Create(ConnectionText connection, string? schema, Action<TaskRecoveryOptions> configure, string? kind)
    {
        ArgumentNullException.ThrowIfNull(connection);
        var services = new ServiceCollection();
        services.AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance);
        services.AddSingleton(typeof(ILogger<>), typeof(NullLogger<>));
        var builder = services.AddTaskRecovery(configure);
        if (kind is not null)
        {
            builder.AddKind<JsonElement>(kind).Services.Configure<TaskRecoveryOptions>(
                static options => options.Json = new JsonSerializerOptions { TypeInfoResolver = ImportJson.Default });
        }

        if (connection.File is null)
        {
            builder.UsePostgreSql(connection.Text, options =>
            {
                options.MigrateOnStart = false;
                options.Schema = schema ?? options.Schema;

                // Neither is needed without a node, and without them any pooler may be between this process and the server.
                options.UseSessionLocks = false;
                options.UseNotifications = false;
            });
        }
        else if (schema is null)
        {
            builder.UseSqlite(connection.Text, static options => options.MigrateOnStart = false);
        }
        else
        {
            throw CommandException.Usage($"--schema is '{schema}', but a SQLite file has no schemas: omit it.");
        }

        return new StoreSession(services.BuildServiceProvider(), connection, schema);
    }

    /// <summary>Throws if the file of SQLite does not exist. Opening it would create it.</summary>
    public void RequireFile()
    {
        if (_connection.File is { } file && !file.Contains('|', StringComparison.Ordinal) && !File.Exists(file))
        {
            throw new CommandException(
                ExitCodes.NotReachable,
                $"'{Path.GetFullPath(file)}' does not exist. Check the path, or create the file with 'taskrecovery migrate'.");
        }
    }

    /// <summary>Throws if the tables are not those of this version.</summary>
    public async Task RequireTablesAsync(CancellationToken cancellationToken)
    {
        RequireFile();
        if (await Migrator.FindMissingAsync(cancellationToken).ConfigureAwait(false) is { Count: > 0 } missing)
        {
            throw new CommandException(
                ExitCodes.NotUsable,
                $"The tables in {Where} lack {missing.Count} migrations, from {missing[0]} on. Run 'taskrecovery migrate'.");
        }

        await PrepareAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads what the store needs before its first use. The tables have to exist.</summary>
    public async Task PrepareAsync(CancellationToken cancellationToken)
        => await _services.GetRequiredService<IStoreLifecycle>().PrepareAsync(cancellationToken).ConfigureAwait(false);

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
