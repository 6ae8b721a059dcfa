using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TaskRecovery.Jobs;
using TaskRecovery.Kinds;
using TaskRecovery.Queue;
using TaskRecovery.Workers;

namespace TaskRecovery.Startup;

/// <summary>Fails host start for errors that would otherwise surface only when an entry runs: arguments that can't be stored, jobs whose
/// arguments have a worker but no task handler, and workers that can't be created.</summary>
/// <remarks>Runs as the first hosted service and does not access the store.</remarks>
internal sealed class SetupCheck(
    KindRegistrations kinds, IEnumerable<TaskKind> tasks, DeclaredJobs jobs,
    IEnumerable<MiddlewareRegistration> middleware, EntryJson json,
    PayloadCodecs codecs, WorkerSettings settings, ConstructorCheck constructors)
    : IHostedLifecycleService
{
    private bool _isDone;

    /// <inheritdoc/>
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        Check();
        _isDone = true;
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => _isDone ? Task.CompletedTask : StartingAsync(cancellationToken);

    Task IHostedLifecycleService.StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedService.StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <exception cref="InvalidOperationException">The setup is invalid. The message names the problem and the remedy.</exception>
    internal void Check()
    {
        settings.CheckKinds();
        foreach (var kind in kinds.All.Where(kind => !kind.IsTask))
        {
            CheckArgs(kind.ArgsType, $"the kind '{kind.Kind}'");
        }

        var handled = tasks.ToDictionary(task => task.ArgsType);
        foreach (var task in handled.Values)
        {
            CheckArgs(task.ArgsType, $"the kind of task '{task.Kind}'");
        }

        foreach (var job in jobs.All)
        {
            CheckArgs(job.ArgsType, $"the job '{job.Name}'");
            if (!handled.ContainsKey(job.ArgsType)
                && kinds.All.FirstOrDefault(kind => kind.ArgsType == job.ArgsType && kind.IsWorked) is { } worked)
            {
                throw new InvalidOperationException(
                    $"The job '{job.Name}' has arguments of the type {job.ArgsType}, for which there is a worker ({worked.WorkerType}) and "
                        + "no task handler. A worker runs what is enqueued, and a "
                        + $"task handler runs jobs: implement ITaskHandler<{job.ArgsType.Name}> and register it with "
                        + $"AddTaskHandler<{job.ArgsType.Name}, THandler>().");
            }
        }

        CheckCodecs(handled);
        foreach (var kind in kinds.All)
        {
            constructors.Check(kind.WorkerType);
        }

        foreach (var type in middleware)
        {
            constructors.Check(type.Type);
        }
    }

    private void CheckCodecs(Dictionary<Type, TaskKind> handled)
    {
        foreach (var type in codecs.ArgsTypes.Where(type => !handled.ContainsKey(type)
            && !jobs.All.Any(job => job.ArgsType == type) && !kinds.All.Any(kind => kind.ArgsType == type)))
        {
            throw new InvalidOperationException(
                $"A codec is registered for the payloads of {type}, and this host has no kind with it. Register the kind with AddWorker, "
                + $"AddTaskHandler or AddKind, or remove AddPayloadCodec<{type.Name}, TCodec>().");
        }

        codecs.Check();
    }

    private void CheckArgs(Type type, string what)
    {
        try
        {
            json.Check(type);
        }
        catch (NotSupportedException exception)
        {
            throw new InvalidOperationException($"The arguments of {what} can't be stored. {exception.Message}", exception);
        }
    }
}
