using Microsoft.Extensions.Configuration;
using TaskRecovery.Configuration;
using TaskRecovery.Storage;

namespace TaskRecovery.Kinds;

/// <summary>Configuration of workers and task handlers by kind, for example <c>TaskRecovery:Workers:mail.send:MaxAttempts</c>. It overrides
/// the options set in code.</summary>
internal sealed class WorkerSettings(IEnumerable<StoreConfiguration> configurations, KindRegistrations kinds)
{
    private const string TaskPrefix = "task:";

    /// <summary>The options of a registration, overridden by configuration.</summary>
    public WorkerOptions Of(KindRegistration registration)
        => Of(KindOf(registration), registration.Options, registration.WorkerType ?? registration.ArgsType);

    /// <summary>The options of a kind, overridden by configuration.</summary>
    /// <exception cref="InvalidOperationException">A setting's name is unknown, or a value can't be read.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range.</exception>
    public WorkerOptions Of(string kind, WorkerOptions options, Type worker)
    {
        var result = new WorkerOptions
        {
            MaxAttempts = options.MaxAttempts,
            Timeout = options.Timeout,
            RetryBase = options.RetryBase,
            RetryMax = options.RetryMax,
            KeepRunLog = options.KeepRunLog,
        };
        foreach (var configuration in configurations)
        {
            Settings.Bind(configuration.Section.GetSection(TaskRecoveryOptionsBinder.WorkersSection).GetSection(kind), new()
            {
                ["MaxAttempts"] = value => result.MaxAttempts = Settings.Number(value),
                ["Timeout"] = value => result.Timeout = Settings.Time(value),
                ["RetryBase"] = value => result.RetryBase = Settings.Time(value),
                ["RetryMax"] = value => result.RetryMax = Settings.Time(value),
                ["KeepRunLog"] = value => result.KeepRunLog = Settings.Flag(value),
            });
        }

        return WorkerOptionsValidator.Check(result, worker);
    }

    /// <summary>Whether what handlers log is kept for any kind of this process.</summary>
    public bool KeepsRunLogs()
    {
        try
        {
            return kinds.All.Any(kind => kind.IsWorked && Of(kind).KeepRunLog);
        }
        catch (Exception exception) when (exception is InvalidOperationException or ArgumentException)
        {
            // A setting is wrong. The check at start reports it, and this is asked while loggers are created.
            return false;
        }
    }

    /// <summary>Checks that every configured kind is registered in this process.</summary>
    /// <exception cref="InvalidOperationException">A configured kind is not registered.</exception>
    public void CheckKinds()
    {
        var known = new Dictionary<string, Action<IConfigurationSection>>(StringComparer.OrdinalIgnoreCase);
        foreach (var kind in kinds.All)
        {
            known[KindOf(kind)] = static _ => { };
        }

        foreach (var configuration in configurations)
        {
            Settings.Bind(configuration.Section.GetSection(TaskRecoveryOptionsBinder.WorkersSection), known);
        }
    }

    private static string KindOf(KindRegistration registration)
        => registration.IsTask && registration.Kind.StartsWith(TaskPrefix, StringComparison.Ordinal)
            ? registration.Kind[TaskPrefix.Length..]
            : registration.Kind;
}
