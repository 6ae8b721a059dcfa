using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using TaskRecovery;
using TaskRecovery.Jobs;
using TaskRecovery.Queue;
using TaskRecovery.Recovery;
using TaskRecovery.Storage;
using TaskRecovery.Workers;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Says which jobs this process runs and declares. Every method is safe to call twice.</summary>
public static class JobBuilderExtensions
{
    /// <summary>Runs the tasks of jobs with these arguments in this process.</summary>
    /// <typeparam name="TArgs">The jobs' arguments.</typeparam>
    /// <typeparam name="THandler">The handler, created in a scope of its own for every attempt unless it is registered otherwise.</typeparam>
    /// <param name="builder">What <c>AddTaskRecovery</c> returned.</param>
    /// <param name="kind">The kind of task; <see langword="null"/> takes it from the <see cref="JobKindAttribute"/> of <typeparamref name="TArgs"/>.</param>
    /// <param name="configure">Attempts, time limit and waits, where the job does not say.</param>
    /// <exception cref="InvalidOperationException">The kind or the type of the arguments is registered for another handler, or there is no kind.</exception>
    public static TaskRecoveryBuilder AddTaskHandler<TArgs, [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler>(
        this TaskRecoveryBuilder builder, string? kind = null, Action<WorkerOptions>? configure = null)
        where TArgs : notnull
        where THandler : class, ITaskHandler<TArgs>
    {
        ArgumentNullException.ThrowIfNull(builder);
        var options = new WorkerOptions();
        configure?.Invoke(options);
        WorkerOptionsValidator.Check(options, typeof(THandler));
        var task = new TaskKind(typeof(TArgs), KindRegistrations.NameOf(typeof(TArgs), kind), options);
        var existing = Registered<TaskKind>(builder).FirstOrDefault(other => other.ArgsType == typeof(TArgs));
        if (existing is not null && existing.Kind != task.Kind)
        {
            throw new InvalidOperationException(
                $"{typeof(TArgs)} is registered as the kind of task '{existing.Kind}' and again as '{task.Kind}', so that a job with it would be ambiguous. Use a type of its own for each kind.");
        }

        builder.Kinds().Add(new KindRegistration
        {
            Kind = TaskKinds.EntryKind(task.Kind),
            ArgsType = typeof(IntervalJobArgs),
            WorkerType = typeof(THandler),
            CreateRunner = static services => new IntervalJobWorker<TArgs, THandler>(
                services.GetRequiredService<IJobStore>(),
                services.GetRequiredService<EntryJson>(),
                services.GetRequiredService<WorkPipeline>(),
                services.GetRequiredService<ILoggerFactory>().CreateLogger("TaskRecovery.Jobs")),
            IsEnqueuedByType = false,
            IsTask = true,
            Options = options,
        });
        if (existing is null)
        {
            builder.Services.AddSingleton(task);
        }

        builder.Services.TryAddScoped<THandler>();
        return builder;
    }

    /// <summary>Declares a job: at every start it is created, or changed if it is not as declared. Its first run is at once, unless <paramref name="configure"/> says otherwise.</summary>
    /// <remarks>Any process may declare a job, also one that works no queue. Removing the declaration from the code does not end the job, because another process may still
    /// declare it: delete it with <see cref="IJobService.DeleteAsync"/>. Until then, each start of this application logs a warning that names it.</remarks>
    /// <typeparam name="TArgs">The arguments of the task handler that runs it.</typeparam>
    /// <param name="builder">What <c>AddTaskRecovery</c> returned.</param>
    /// <param name="name">The job's name, unique. At most 200 bytes of UTF-8.</param>
    /// <param name="every">The time between runs: at least one second.</param>
    /// <param name="args">The arguments of every run.</param>
    /// <param name="configure">Changes the definition: overlap, missed runs, queue, attempts.</param>
    public static TaskRecoveryBuilder AddIntervalJob<TArgs>(
        this TaskRecoveryBuilder builder, string name, TimeSpan every, TArgs args, Func<JobDefinition, JobDefinition>? configure = null)
        where TArgs : notnull
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(args);
        var definition = new JobDefinition(name, Schedule.Every(every));
        definition = configure?.Invoke(definition) ?? definition;
        JobRules.Check(definition);
        if (Registered<JobDeclaration>(builder).FirstOrDefault(other => other.Name == definition.Name) is { } existing)
        {
            builder.Services.Remove(builder.Services.First(service => ReferenceEquals(service.ImplementationInstance, existing)));
        }

        builder.Services.AddSingleton(new JobDeclaration(
            definition.Name, typeof(TArgs), (jobs, application, cancellationToken) => jobs.StoreAsync(definition, args, application, cancellationToken)));
        return builder;
    }

    /// <inheritdoc cref="AddTaskHandler{TArgs, THandler}(TaskRecoveryBuilder, string?, Action{WorkerOptions}?)"/>
    public static TaskRecoveryBuilder AddTaskHandler<TArgs, [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler>(
        this TaskRecoveryBuilder builder, Action<WorkerOptions> configure)
        where TArgs : notnull
        where THandler : class, ITaskHandler<TArgs>
        => builder.AddTaskHandler<TArgs, THandler>(kind: null, configure);

    /// <summary>Adds the services of jobs and tasks; part of <c>AddTaskRecovery</c>.</summary>
    internal static void AddJobs(this IServiceCollection services)
    {
        services.TryAddSingleton<TaskKinds>();
        services.TryAddSingleton<JobService>();
        services.TryAddSingleton<IJobService>(static provider => provider.GetRequiredService<JobService>());
        services.TryAddSingleton<ITaskService, TaskService>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupStep, JobDeclarations>());
    }

    private static IEnumerable<T> Registered<T>(TaskRecoveryBuilder builder)
        => builder.Services.Where(static service => service.ServiceType == typeof(T)).Select(static service => service.ImplementationInstance).OfType<T>();
}
