using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using TaskRecovery.Kinds;

namespace TaskRecovery.Configuration;

/// <summary>Binds <see cref="TaskRecoveryOptions"/> to configuration. The stores bind their own sections, and <c>WorkerSettings</c> binds
/// those of the workers.</summary>
internal sealed class TaskRecoveryOptionsBinder(IConfiguration configuration) : IConfigureOptions<TaskRecoveryOptions>
{
    /// <summary>The section with the options of workers by kind.</summary>
    public const string WorkersSection = "Workers";

    public void Configure(TaskRecoveryOptions options) => Settings.Bind(configuration, new()
    {
        ["NodeName"] = value => options.NodeName = value.Value,
        ["StartupMode"] = value => options.StartupMode = Settings.Name<StartupMode>(value),
        ["ShutdownTimeout"] = value => options.ShutdownTimeout = Settings.Time(value),
        ["MaxArgsBytes"] = value => options.MaxArgsBytes = Settings.Number(value),
        ["MaxResultBytes"] = value => options.MaxResultBytes = Settings.Number(value),
        ["ServeDefaultQueue"] = value => options.ServeDefaultQueue = Settings.Flag(value),
        ["OrphanedJobs"] = value => options.OrphanedJobs = Settings.Name<OrphanedJobPolicy>(value),
        ["Queues"] = section => BindQueues(section, options),
        ["Node"] = section => BindNode(section, options.Node),
        ["Recovery"] = section => BindRecovery(section, options.Recovery),
        ["Retention"] = section => BindRetention(section, options.Retention),
        [WorkersSection] = static _ => { },
        ["PostgreSql"] = static _ => { },
        ["Sqlite"] = static _ => { },
    });

    private static void BindQueues(IConfigurationSection queues, TaskRecoveryOptions options)
    {
        foreach (var section in queues.GetChildren())
        {
            if (!options.Queues.TryGetValue(section.Key, out var queue))
            {
                queue = options.Queues[section.Key] = new QueueOptions();
                options.ConfiguredQueues.Add(section.Key);
            }

            Settings.Bind(section, new()
            {
                ["Concurrency"] = value => queue.Concurrency = Settings.Number(value),
                ["Prefetch"] = value => queue.Prefetch = Settings.Number(value),
            });
        }
    }

    private static void BindNode(IConfigurationSection section, NodeOptions node) => Settings.Bind(section, new()
    {
        ["Lease"] = value => node.Lease = Settings.Time(value),
        ["Grace"] = value => node.Grace = Settings.Time(value),
        ["HeartbeatInterval"] = value => node.HeartbeatInterval = Settings.Time(value),
    });

    private static void BindRecovery(IConfigurationSection section, RecoveryOptions recovery) => Settings.Bind(section, new()
    {
        ["MaxCrashes"] = value => recovery.MaxCrashes = Settings.Number(value),
        ["MaxRecoveryAge"] = value => recovery.MaxRecoveryAge = Settings.Time(value),
        ["SweepInterval"] = value => recovery.SweepInterval = Settings.Time(value),
    });

    private static void BindRetention(IConfigurationSection section, RetentionOptions retention) => Settings.Bind(section, new()
    {
        ["Completed"] = value => retention.Completed = Settings.Time(value),
        ["Failed"] = value => retention.Failed = Settings.Time(value),
        ["Cancelled"] = value => retention.Cancelled = Settings.Time(value),
        ["Due"] = value => retention.Due = Settings.Time(value),
        ["Interval"] = value => retention.Interval = Settings.Time(value),
    });
}
