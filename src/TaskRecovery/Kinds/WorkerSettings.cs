using Microsoft.Extensions.Configuration;
using TaskRecovery.Configuration;
using TaskRecovery.Rules;
using TaskRecovery.Storage;

namespace TaskRecovery.Kinds;

/// <summary>The options of workers and task handlers: configuration by kind, for example <c>TaskRecovery:Workers:mail.send:MaxAttempts</c>,
/// and then what the code sets.</summary>
internal sealed class WorkerSettings(IEnumerable<StoreConfiguration> configurations, KindRegistrations kinds)
{
    /// <inheritdoc cref="Of(string, Action{WorkerOptions}?, Type)"/>
    public WorkerOptions Of(KindRegistration registration)
        => Of(KindOf(registration), registration.Apply, registration.WorkerType ?? registration.ArgsType);

    /// <summary>The options of a kind.</summary>
    /// <exception cref="InvalidOperationException">A setting's name is unknown, or a value can't be read.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range.</exception>
    public WorkerOptions Of(string kind, Action<WorkerOptions>? configure, Type worker)
    {
        var result = new WorkerOptions();
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

        configure?.Invoke(result);
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
            Settings.Bind(configuration.Section.GetSection(TaskRecoveryOptionsBinder.WorkersSection), known, NotRegistered);
        }
    }

    // Several processes may share the file, and only some of them run the kind.
    private static string NotRegistered(string kind)
        => $"but the kind '{EntryText.Shown(kind)}' is not registered in this process. Check its spelling; or "
            + "call AddKind<TArgs>() if this process only enqueues the kind, so that its MaxAttempts count here; or "
            + "move the setting to the configuration of the processes that run it";

    private static string KindOf(KindRegistration registration)
        => registration.IsTask ? TaskEntryKind.TaskKindOf(registration.Kind) : registration.Kind;
}
