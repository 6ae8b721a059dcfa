using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace TaskRecovery.Workers;

/// <summary>Binds the options by hand: no reflection, so it works in native builds, and a value or name that can't be right is an error instead of a default.</summary>
internal sealed class TaskRecoveryOptionsBinder(IConfiguration configuration) : IConfigureOptions<TaskRecoveryOptions>
{
    public void Configure(TaskRecoveryOptions options)
    {
        foreach (var section in configuration.GetChildren())
        {
            switch (section.Key.ToUpperInvariant())
            {
                case "NODENAME": options.NodeName = section.Value; break;
                case "STARTUPMODE": options.StartupMode = Mode(section); break;
                case "SHUTDOWNTIMEOUT": options.ShutdownTimeout = Time(section); break;
                case "MAXARGSBYTES": options.MaxArgsBytes = Number(section); break;
                case "MAXRESULTBYTES": options.MaxResultBytes = Number(section); break;
                case "SERVEDEFAULTQUEUE": options.ServeDefaultQueue = Flag(section); break;
                case "QUEUES": BindQueues(section, options); break;
                case "NODE": BindNode(section, options.Node); break;
                case "RECOVERY": BindRecovery(section, options.Recovery); break;
                case "RETENTION": BindRetention(section, options.Retention); break;
                case "POSTGRESQL" or "SQLITE": break;
                default: throw Unknown(section);
            }
        }
    }

    private static void BindQueues(IConfigurationSection queues, TaskRecoveryOptions options)
    {
        foreach (var section in queues.GetChildren())
        {
            if (!options.Queues.TryGetValue(section.Key, out var queue))
            {
                queue = options.Queues[section.Key] = new QueueOptions();
            }

            foreach (var value in section.GetChildren())
            {
                switch (value.Key.ToUpperInvariant())
                {
                    case "CONCURRENCY": queue.Concurrency = Number(value); break;
                    case "PREFETCH": queue.Prefetch = Number(value); break;
                    default: throw Unknown(value);
                }
            }
        }
    }

    private static void BindNode(IConfigurationSection section, NodeOptions node)
    {
        foreach (var value in section.GetChildren())
        {
            switch (value.Key.ToUpperInvariant())
            {
                case "LEASE": node.Lease = Time(value); break;
                case "GRACE": node.Grace = Time(value); break;
                case "BEATINTERVAL": node.BeatInterval = Time(value); break;
                default: throw Unknown(value);
            }
        }
    }

    private static void BindRecovery(IConfigurationSection section, RecoveryOptions recovery)
    {
        foreach (var value in section.GetChildren())
        {
            switch (value.Key.ToUpperInvariant())
            {
                case "MAXCRASHES": recovery.MaxCrashes = Number(value); break;
                case "MAXRECOVERYAGE": recovery.MaxRecoveryAge = Time(value); break;
                case "SWEEPINTERVAL": recovery.SweepInterval = Time(value); break;
                default: throw Unknown(value);
            }
        }
    }

    private static void BindRetention(IConfigurationSection section, RetentionOptions retention)
    {
        foreach (var value in section.GetChildren())
        {
            switch (value.Key.ToUpperInvariant())
            {
                case "COMPLETED": retention.Completed = Time(value); break;
                case "FAILED": retention.Failed = Time(value); break;
                case "CANCELLED": retention.Cancelled = Time(value); break;
                case "INTERVAL": retention.Interval = Time(value); break;
                default: throw Unknown(value);
            }
        }
    }

    private static TimeSpan Time(IConfigurationSection section)
        => TimeSpan.TryParse(section.Value, CultureInfo.InvariantCulture, out var value) ? value : throw Bad(section, "a time span such as 00:00:20");

    private static int Number(IConfigurationSection section)
        => int.TryParse(section.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : throw Bad(section, "a whole number");

    private static bool Flag(IConfigurationSection section)
        => bool.TryParse(section.Value, out var value) ? value : throw Bad(section, "true or false");

    private static StartupMode Mode(IConfigurationSection section)
        => Enum.TryParse<StartupMode>(section.Value, ignoreCase: true, out var value) && Enum.IsDefined(value)
            ? value
            : throw Bad(section, string.Join(" or ", Enum.GetNames<StartupMode>()));

    private static InvalidOperationException Bad(IConfigurationSection section, string wanted)
        => new($"The configuration value '{section.Path}' is '{section.Value}', and {wanted} is wanted.");

    private static InvalidOperationException Unknown(IConfigurationSection section)
        => new($"The configuration has '{section.Path}', which TaskRecovery does not know. Check its spelling, or remove it.");
}
