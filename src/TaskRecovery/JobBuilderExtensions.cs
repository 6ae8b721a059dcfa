using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using TaskRecovery;
using TaskRecovery.Configuration;
using TaskRecovery.Hosting;
using TaskRecovery.Jobs;
using TaskRecovery.Kinds;
using TaskRecovery.Queue;
using TaskRecovery.Recovery;
using TaskRecovery.Storage;
using TaskRecovery.Workers;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the task handlers and jobs of this process. Every method is safe to call twice.</summary>
public static class JobBuilderExtensions
{
    /// <summary>Registers the handler that runs the tasks of jobs with these arguments in this process.</summary>
    /// <typeparam name="TArgs">The arguments type of the jobs.</typeparam>
    /// <typeparam name="THandler">The handler type. A new instance is created in its own scope for every attempt, unless the application
    /// registered it with another lifetime.</typeparam>
    /// <param name="builder">The builder returned by <c>AddTaskRecovery</c>.</param>
    /// <param name="kind">The kind of the task; <see langword="null"/> uses the <see cref="JobKindAttribute"/> of
    /// <typeparamref name="TArgs"/>.</param>
    /// <param name="configure">Sets the number of attempts, the time limit and the retry delays for jobs that do not set their own.</param>
    /// <exception cref="InvalidOperationException">The kind or the arguments type is registered for another handler, or no kind is
    /// specified.</exception>
    public static TaskRecoveryBuilder AddTaskHandler<TArgs, [DynamicallyAccessedMembers(
        DynamicallyAccessedMemberTypes.PublicConstructors)] THandler>(
            this TaskRecoveryBuilder builder, string? kind = null, Action<WorkerOptions>? configure = null)
        where TArgs : notnull
        where THandler : class, ITaskHandler<TArgs>
    {
        ArgumentNullException.ThrowIfNull(builder);
        WorkerOptionsValidator.Check(configure, typeof(THandler));
        var task = new TaskKind(typeof(TArgs), KindRegistrations.NameOf(typeof(TArgs), kind)) { Configure = configure };
        var existing = builder.Registered<TaskKind>().FirstOrDefault(other => other.ArgsType == typeof(TArgs));
        if (existing is not null && existing.Kind != task.Kind)
        {
            throw new InvalidOperationException(
                $"{typeof(TArgs)} is registered as the kind of task '{existing.Kind}' and again as '{task.Kind}', so that a job with it "
                + "would be ambiguous. Use a type of its own for each kind.");
        }

        var registration = new KindRegistration
        {
            Kind = TaskEntryKind.Of(task.Kind),
            ArgsType = typeof(IntervalJobArgs),
            PayloadType = typeof(TArgs),
            WorkerType = typeof(THandler),
            IsEnqueuedByType = false,
            IsTask = true,
            Configure = configure,
        };
        builder.AddRunner(registration, static services => new IntervalJobWorker<TArgs, THandler>(
            services.GetRequiredService<IJobStore>(),
            services.GetRequiredService<EntryJson>(),
            services.GetRequiredService<WorkPipeline>(),
            services.GetRequiredService<ILoggerFactory>().CreateLogger("TaskRecovery.Jobs")));
        if (existing is null)
        {
            builder.InstanceServices.AddSingleton(task);
        }

        builder.KeepLogs();
        builder.Services.TryAddScoped<THandler>();
        return builder;
    }

    /// <summary>Declares a job with an interval. At every start, the job is created, or updated if its declaration in the code has changed.
    /// The first run is due at once, unless <paramref name="configure"/> sets <see cref="JobDefinition.StartAt"/>.</summary>
    /// <inheritdoc cref="AddJob{TArgs}" path="/remarks"/>
    /// <typeparam name="TArgs">The arguments type of the task handler that runs the job.</typeparam>
    /// <param name="builder">The builder returned by <c>AddTaskRecovery</c>.</param>
    /// <param name="name">The unique name of the job. At most 200 bytes of UTF-8.</param>
    /// <param name="every">The time between runs, at least one second and at most 36,500 days.</param>
    /// <param name="args">The arguments of every run.</param>
    /// <param name="configure">Returns a changed definition, for example with another queue, overlap policy or number of attempts.</param>
    public static TaskRecoveryBuilder AddIntervalJob<TArgs>(
        this TaskRecoveryBuilder builder, string name, TimeSpan every, TArgs args, Func<JobDefinition, JobDefinition>? configure = null)
        where TArgs : notnull
        => builder.AddJob(name, Schedule.Every(every), args, configure);

    /// <summary>Declares a job with a cron expression. At every start, the job is created, or updated if its declaration in the code has
    /// changed.</summary>
    /// <inheritdoc cref="AddJob{TArgs}" path="/remarks"/>
    /// <typeparam name="TArgs">The arguments type of the task handler that runs the job.</typeparam>
    /// <param name="builder">The builder returned by <c>AddTaskRecovery</c>.</param>
    /// <param name="name">The unique name of the job. At most 200 bytes of UTF-8.</param>
    /// <param name="expression">Five fields, six with the second first, or a macro such as <c>@hourly</c>; see
    /// <see cref="Schedule.Cron"/>.</param>
    /// <param name="args">The arguments of every run.</param>
    /// <param name="timeZone">The IANA id of the time zone, for example <c>Europe/Berlin</c>.</param>
    /// <param name="configure">Returns a changed definition, for example with another queue, overlap policy or number of attempts.</param>
    /// <exception cref="ArgumentException">The expression or the definition is invalid.</exception>
    /// <exception cref="TimeZoneNotFoundException">This machine does not know the time zone.</exception>
    public static TaskRecoveryBuilder AddCronJob<TArgs>(
        this TaskRecoveryBuilder builder, string name, string expression, TArgs args,
        string timeZone = "UTC", Func<JobDefinition, JobDefinition>? configure = null)
        where TArgs : notnull
        => builder.AddJob(name, Schedule.Cron(expression, timeZone), args, configure);

    /// <summary>Declares a job with any schedule. At every start, the job is created, or updated if its declaration in the code has
    /// changed.</summary>
    /// <remarks>
    /// A handler that is registered once with <c>AddTaskHandler</c> runs any number of jobs with its arguments type.
    /// What was changed at run time with <see cref="IJobService.CreateOrUpdateAsync{TArgs}"/> stays changed, until the declaration in the
    /// code is another one than at the last start.
    /// Any process may declare a job, even if it serves no queue. If a declaration is removed from the code,
    /// <see cref="TaskRecoveryOptions.OrphanedJobs"/> says what happens to the job.
    /// </remarks>
    /// <typeparam name="TArgs">The arguments type of the task handler that runs the job.</typeparam>
    /// <param name="builder">The builder returned by <c>AddTaskRecovery</c>.</param>
    /// <param name="name">The unique name of the job. At most 200 bytes of UTF-8.</param>
    /// <param name="schedule">The schedule.</param>
    /// <param name="args">The arguments of every run.</param>
    /// <param name="configure">Returns a changed definition, for example with another queue, overlap policy or number of attempts.</param>
    public static TaskRecoveryBuilder AddJob<TArgs>(
        this TaskRecoveryBuilder builder, string name, Schedule schedule, TArgs args, Func<JobDefinition, JobDefinition>? configure = null)
        where TArgs : notnull
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(args);
        var definition = new JobDefinition(name, schedule);
        definition = configure?.Invoke(definition) ?? definition;
        JobRules.Check(definition);
        builder.Registered<DeclaredJobs>().First().Add(new JobDeclaration(
            definition.Name, typeof(TArgs), (jobs, stored) => jobs.IsDeclaredAs(definition, args, stored),
            (jobs, application, cancellationToken) => jobs.ReadyAsync(definition, args, application, cancellationToken)));
        return builder;
    }

    /// <inheritdoc cref="AddTaskHandler{TArgs, THandler}(TaskRecoveryBuilder, string?, Action{WorkerOptions}?)"/>
    public static TaskRecoveryBuilder AddTaskHandler<TArgs, [DynamicallyAccessedMembers(
        DynamicallyAccessedMemberTypes.PublicConstructors)] THandler>(
            this TaskRecoveryBuilder builder, Action<WorkerOptions> configure)
        where TArgs : notnull
        where THandler : class, ITaskHandler<TArgs>
        => builder.AddTaskHandler<TArgs, THandler>(kind: null, configure);

    /// <summary>Registers the services for jobs and tasks. Called by <c>AddTaskRecovery</c>.</summary>
    internal static void AddJobs(this IServiceCollection services)
    {
        services.TryAddSingleton(new DeclaredJobs());
        services.TryAddSingleton<TaskKinds>();
        services.TryAddSingleton<JobPlanner>();
        services.TryAddSingleton<JobService>();
        services.TryAddSingleton<IJobService>(static provider => provider.GetRequiredService<JobService>());
        services.TryAddSingleton<ITaskService, TaskService>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupStep, JobDeclarations>());
    }
}
