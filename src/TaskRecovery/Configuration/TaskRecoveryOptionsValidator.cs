using Microsoft.Extensions.Options;
using TaskRecovery.Storage;
using TaskRecovery.Nodes;
using TaskRecovery.Rules;

namespace TaskRecovery.Configuration;

/// <summary>Checks <see cref="TaskRecoveryOptions"/> when the host starts.</summary>
internal sealed class TaskRecoveryOptionsValidator : IValidateOptions<TaskRecoveryOptions>
{
    private static readonly TimeSpan LongestTime = TimeSpan.FromDays(36_500);
    private static readonly TimeSpan LongestHeartbeatInterval = TimeSpan.FromMinutes(1);

    public ValidateOptionsResult Validate(string? name, TaskRecoveryOptions options)
    {
        var errors = new List<string>();
        if (options.NodeName is not null && NameRules.Node.Problem(options.NodeName) is { } misnamed)
        {
            Check(isGood: false, nameof(options.NodeName), options.NodeName, $"it {misnamed}, or use null for the default");
        }

        Check(Enum.IsDefined(options.StartupMode), nameof(options.StartupMode), options.StartupMode, "use one of its names");
        Range(options.ShutdownTimeout, TimeSpan.Zero, TimeSpan.FromDays(1), nameof(options.ShutdownTimeout));
        Check(
            options.MaxArgsBytes is > 0 and <= EntryLimits.MostArgsBytes,
            nameof(options.MaxArgsBytes), options.MaxArgsBytes, "use 1 to 33,554,432 bytes");
        Check(
            options.MaxResultBytes is > 0 and <= 256 * 1024 * 1024,
            nameof(options.MaxResultBytes), options.MaxResultBytes, "use 1 to 268,435,456 bytes");

        foreach (var (queue, value) in options.Queues)
        {
            Check(NameRules.Queue.Problem(queue) is null, nameof(options.Queues), queue, $"it {NameRules.Queue.Problem(queue)}");
            if (value is null)
            {
                Check(isGood: false, $"Queues[{queue}]", "null", "give it options, or leave the queue out");
                continue;
            }

            Check(
                value.Concurrency is >= 1 and <= 10_000,
                $"Queues[{queue}].{nameof(value.Concurrency)}", value.Concurrency, "use 1 to 10,000");
            Check(
                value.Prefetch is null or (>= 0 and <= 10_000),
                $"Queues[{queue}].{nameof(value.Prefetch)}", value.Prefetch, "use 0 to 10,000, or null for the default");
        }

        // Keys of configuration have no case: Queues__DEFAULT__Concurrency is meant for the queue 'default', and would serve another one.
        // Names from code are meant as they are written: a process may serve the old and the new name of a queue.
        var served = options.ServeDefaultQueue ? options.Queues.Keys.Append(EntryLimits.DefaultQueue) : options.Queues.Keys;
        foreach (var names in served.Distinct(StringComparer.Ordinal).GroupBy(static name => name, StringComparer.OrdinalIgnoreCase))
        {
            Check(names.Count() == 1 || !names.Any(options.ConfiguredQueues.Contains),
                nameof(options.Queues), string.Join("' and '", names),
                "these queues differ only by case, which configuration does not distinguish; use the spelling of the code in "
                + "configuration. If entries are stored under both names, serve both with AddQueue");
        }

        var node = options.Node;
        Range(node.Lease, TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(10), "Node.Lease");
        Range(node.HeartbeatInterval, TimeSpan.FromMilliseconds(100), LongestHeartbeatInterval, "Node.HeartbeatInterval");

        // A node stops its handlers before another node may take its entries. Even if one heartbeat is late, the next must be answered
        // before that.
        var twoHeartbeats = 2 * (node.HeartbeatInterval < LongestHeartbeatInterval ? node.HeartbeatInterval : LongestHeartbeatInterval);
        var (leastLease, leastGrace) = (twoHeartbeats + LeaseDeadline.BeforeLease, twoHeartbeats + LeaseDeadline.BeforeGrace);
        Check(node.Lease >= leastLease, "Node.Lease", node.Lease, "use at least two heartbeat intervals "
            + $"and {LeaseDeadline.BeforeLease.TotalSeconds} s ({leastLease})");
        Check(node.Grace >= leastGrace && node.Grace < node.Lease, "Node.Grace", node.Grace,
            $"use at least two heartbeat intervals and {LeaseDeadline.BeforeGrace.TotalSeconds} s ({leastGrace}), "
            + $"and less than the lease ({node.Lease})");
        Check(
            options.Recovery.MaxCrashes is >= 1 and <= -CrashLevels.Lowest,
            "Recovery.MaxCrashes", options.Recovery.MaxCrashes, "use 1 to 10");
        Range(options.Recovery.MaxRecoveryAge, TimeSpan.FromSeconds(1), LongestTime, "Recovery.MaxRecoveryAge");
        Range(options.Recovery.SweepInterval, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1), "Recovery.SweepInterval");
        Range(options.Retention.Completed, TimeSpan.Zero, LongestTime, "Retention.Completed");
        Range(options.Retention.Failed, TimeSpan.Zero, LongestTime, "Retention.Failed");
        Range(options.Retention.Cancelled, TimeSpan.Zero, LongestTime, "Retention.Cancelled");
        Range(options.Retention.Due ?? LongestTime, TimeSpan.FromMinutes(1), LongestTime, "Retention.Due");
        Range(options.Retention.Interval, TimeSpan.FromMilliseconds(100), TimeSpan.FromDays(1), "Retention.Interval");
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);

        void Check(bool isGood, string property, object? value, string remedy)
        {
            if (!isGood)
            {
                errors.Add(EntryText.Shown($"{nameof(TaskRecoveryOptions)}.{property} is '{value}': {remedy}."));
            }
        }

        void Range(TimeSpan value, TimeSpan least, TimeSpan most, string property)
            => Check(value >= least && value <= most, property, value, $"use {least} to {most}");
    }
}

/// <summary>Checks <see cref="WorkerOptions"/> at registration.</summary>
internal static class WorkerOptionsValidator
{
    /// <summary>Checks what the code sets, as if there were no configuration.</summary>
    public static void Check(Action<WorkerOptions>? configure, Type worker)
    {
        var options = new WorkerOptions();
        configure?.Invoke(options);
        Check(options, worker);
    }

    public static WorkerOptions Check(WorkerOptions options, Type worker)
    {
        if (EntryRules.InsteadOfMaxAttempts(options.MaxAttempts) is { } attempts)
        {
            throw Bad(nameof(options.MaxAttempts), options.MaxAttempts, attempts);
        }

        if (EntryRules.InsteadOfTimeout(options.Timeout) is { } timeout)
        {
            throw Bad(nameof(options.Timeout), options.Timeout, timeout);
        }

        if (options.RetryBase < TimeSpan.Zero || options.RetryMax < options.RetryBase || options.RetryMax > EntryLimits.LongestDelay)
        {
            throw Bad(nameof(options.RetryBase), $"{options.RetryBase}, RetryMax {options.RetryMax}", "use zero or more, "
                + $"and for RetryMax no less than that and at most {EntryLimits.LongestDelay}");
        }

        return options;

        ArgumentOutOfRangeException Bad(string property, object? value, string remedy)
            => new(nameof(options), $"{nameof(WorkerOptions)}.{property} of {worker} is {value}: {remedy}.");
    }
}
