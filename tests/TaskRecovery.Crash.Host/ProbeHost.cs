using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using TaskRecovery.Claims;

namespace TaskRecovery.Crash.Host;

/// <summary>Registers the probes, for a process that works them and for a test that only enqueues and reads.</summary>
public static class ProbeHost
{
    /// <summary>A node that works every probe.</summary>
    internal static void Add(IServiceCollection services, HostSettings settings)
    {
        if (settings.PatientStop)
        {
            services.AddSingleton(new WorkLimits { CancelTime = TimeSpan.FromMinutes(1), FlushTime = TimeSpan.FromMinutes(1) });
            services.Configure<HostOptions>(static options => options.ShutdownTimeout = TimeSpan.FromMinutes(3));
        }

        var builder = AddStore(services, settings)
            .AddQueue("default", settings.Concurrency, settings.Prefetch)
            .AddWorker<PlainProbe, PlainProbeWorker>()
            .AddWorker<StepsProbe, StepsProbeWorker>()
            .AddWorker<CheckpointProbe, CheckpointProbeWorker>()
            .AddWorker<TransactionProbe, TransactionProbeWorker>()
            .AddWorker<PoisonProbe, PoisonProbeWorker>()
            .AddWorker<OddProbe, OddProbeWorker>()
            .AddTaskHandler<JobProbe, JobProbeHandler>();
        if (settings.JobEvery is { } every)
        {
            builder.AddIntervalJob("probe-job", every, new JobProbe(HoldMs: 200));
        }
    }

    /// <summary>A process that enqueues probes and works none.</summary>
    public static TaskRecoveryBuilder AddClient(IServiceCollection services, HostSettings settings)
        => AddStore(services, settings)
            .AddKind<PlainProbe>()
            .AddKind<StepsProbe>()
            .AddKind<CheckpointProbe>()
            .AddKind<TransactionProbe>()
            .AddKind<PoisonProbe>()
            .AddKind<OddProbe>();

    /// <summary>Lets a process that works nothing create and change jobs whose runs are a <see cref="JobProbe"/>.</summary>
    public static TaskRecoveryBuilder AddJobs(TaskRecoveryBuilder builder) => builder.AddTaskHandler<JobProbe, JobProbeHandler>();

    private static TaskRecoveryBuilder AddStore(IServiceCollection services, HostSettings settings)
    {
        var builder = services.AddTaskRecovery(options =>
        {
            options.NodeName = settings.NodeName;
            options.ShutdownTimeout = settings.ShutdownTimeout;
            options.Node.Lease = settings.Lease ?? options.Node.Lease;
            options.Node.Grace = settings.Grace ?? options.Node.Grace;
        });
        if (settings.UsesDataSource)
        {
            services.AddSingleton(_ => NpgsqlDataSource.Create(settings.ApplicationPostgres!));
            return builder.UsePostgreSql(Configure);
        }

        return settings.Postgres is { } connectionString
            ? builder.UsePostgreSql(connectionString, Configure)
            : builder.UseSqlite($"Data Source={settings.SqliteFile}");

        void Configure(PostgreSqlOptions options)
        {
            options.Schema = settings.Schema;
            options.UseSessionLocks = settings.UseSessionLocks;
            options.UseNotifications = settings.UseNotifications;
            options.CommandTimeout = settings.CommandTimeout ?? options.CommandTimeout;
        }
    }
}
