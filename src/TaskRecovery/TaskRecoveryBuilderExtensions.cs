using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using TaskRecovery;
using TaskRecovery.Configuration;
using TaskRecovery.Instances;
using TaskRecovery.Kinds;
using TaskRecovery.Queue;
using TaskRecovery.Rules;
using TaskRecovery.Storage;
using TaskRecovery.Workers;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the queues, workers, kinds and middleware of this process. Every method is safe to call twice.</summary>
public static class TaskRecoveryBuilderExtensions
{
    /// <summary>Makes this process run entries of a queue.</summary>
    /// <param name="builder">The builder returned by <c>AddTaskRecovery</c>.</param>
    /// <param name="name">The queue's name. At most 100 bytes of UTF-8.</param>
    /// <param name="concurrency">The number of entries that run concurrently; <see langword="null"/> keeps the configured value or the
    /// default (see <see cref="QueueOptions.Concurrency"/>).</param>
    /// <param name="prefetch">The number of entries claimed in advance; <see langword="null"/> keeps the configured value or the default
    /// (see <see cref="QueueOptions.Prefetch"/>).</param>
    public static TaskRecoveryBuilder AddQueue(this TaskRecoveryBuilder builder, string name, int? concurrency = null, int? prefetch = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        builder.InstanceServices.Configure<TaskRecoveryOptions>(options =>
        {
            if (!options.Queues.TryGetValue(name, out var queue))
            {
                queue = options.Queues[name] = new QueueOptions();
            }

            options.ConfiguredQueues.Remove(name);
            queue.Concurrency = concurrency ?? queue.Concurrency;
            queue.Prefetch = prefetch ?? queue.Prefetch;
        });
        return builder;
    }

    /// <summary>Registers the worker that runs entries of one kind in this process.</summary>
    /// <typeparam name="TArgs">The arguments type of the kind.</typeparam>
    /// <typeparam name="TWorker">The worker type. A new instance is created in its own scope for every attempt, unless the application
    /// registered it with another lifetime.</typeparam>
    /// <param name="builder">The builder returned by <c>AddTaskRecovery</c>.</param>
    /// <param name="kind">The kind; <see langword="null"/> uses the <see cref="JobKindAttribute"/> of <typeparamref name="TArgs"/>.</param>
    /// <param name="configure">Sets the number of attempts, the time limit and the retry delays, after configuration is applied. The number
    /// of attempts counts for entries that this process enqueues. It may be called more than once.</param>
    /// <exception cref="InvalidOperationException">The kind or the arguments type is registered otherwise, or no kind is
    /// specified.</exception>
    public static TaskRecoveryBuilder AddWorker<TArgs, [DynamicallyAccessedMembers(
        DynamicallyAccessedMemberTypes.PublicConstructors)] TWorker>(
            this TaskRecoveryBuilder builder, string? kind = null, Action<WorkerOptions>? configure = null)
        where TArgs : notnull
        where TWorker : class, IJobWorker<TArgs>
    {
        ArgumentNullException.ThrowIfNull(builder);
        WorkerOptionsValidator.Check(configure, typeof(TWorker));
        var registration = new KindRegistration
        {
            Kind = KindRegistrations.NameOf(typeof(TArgs), kind),
            ArgsType = typeof(TArgs),
            WorkerType = typeof(TWorker),
            Configure = configure,
        };
        builder.AddRunner(registration, static services => new WorkerRunner<TArgs, TWorker>(
            services.GetRequiredService<WorkPipeline>(), services.GetRequiredService<EntryJson>()));
        builder.KeepLogs();
        builder.Services.TryAddScoped<TWorker>();
        return builder;
    }

    internal static void AddRunner(
        this TaskRecoveryBuilder builder, KindRegistration registration, Func<IServiceProvider, KindRunner> create)
    {
        builder.Kinds().Add(registration);
        builder.InstanceServices.AddSingleton(new RunnerRegistration(registration.Kind, create));
    }

    // Configuration decides too whether a kind keeps its logs, and may be added after the kind. So the provider asks when it is created.
    internal static void KeepLogs(this TaskRecoveryBuilder builder)
    {
        if (builder.Name is not { } name)
        {
            builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<ILoggerProvider, RunLogProvider>(
                services => new RunLogProvider(services.GetRequiredService<RunLogs>(), builder.KeepsRunLogs())));
        }
        else if (!builder.Services.Any(service => service.ServiceType == typeof(RunLogProvider) && name.Equals(service.ServiceKey)))
        {
            builder.Services.AddKeyedSingleton(
                name,
                (services, key) => new RunLogProvider(NamedInstance.Of(services, (string)key!).Logs, builder.KeepsRunLogs()));
            builder.Services.AddSingleton<ILoggerProvider>(services => services.GetRequiredKeyedService<RunLogProvider>(name));
        }
    }

    // From the registrations, because the services of a named instance need the loggers that are being created.
    private static bool KeepsRunLogs(this TaskRecoveryBuilder builder)
        => new WorkerSettings(builder.Registered<StoreConfiguration>(), builder.Kinds()).KeepsRunLogs();

    /// <inheritdoc cref="AddWorker{TArgs, TWorker}(TaskRecoveryBuilder, string?, Action{WorkerOptions}?)"/>
    public static TaskRecoveryBuilder AddWorker<TArgs, [DynamicallyAccessedMembers(
        DynamicallyAccessedMemberTypes.PublicConstructors)] TWorker>(
            this TaskRecoveryBuilder builder, Action<WorkerOptions> configure)
        where TArgs : notnull
        where TWorker : class, IJobWorker<TArgs>
        => builder.AddWorker<TArgs, TWorker>(kind: null, configure);

    /// <summary>Registers a kind that this process only enqueues and other processes run. A type with a <see cref="JobKindAttribute"/> can
    /// be enqueued without it; if it is registered, its JSON contract is checked at start, and the code or configuration may set how many
    /// attempts its entries have.</summary>
    /// <remarks>The process that enqueues an entry decides how many attempts it has: the <see cref="WorkerOptions.MaxAttempts"/> of a
    /// worker in another process do not count.</remarks>
    /// <typeparam name="TArgs">The arguments type of the kind.</typeparam>
    /// <param name="builder">The builder returned by <c>AddTaskRecovery</c>.</param>
    /// <param name="kind">The kind; <see langword="null"/> uses the <see cref="JobKindAttribute"/> of <typeparamref name="TArgs"/>.</param>
    /// <param name="maxAttempts">How many attempts an entry has that this process enqueues without
    /// <see cref="EnqueueOptions.MaxAttempts"/>, from 1 to 1,000; <see langword="null"/> for the configured number, or 10.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxAttempts"/> is not 1 to 1,000.</exception>
    /// <exception cref="InvalidOperationException">The kind or the arguments type is registered otherwise, or no kind is
    /// specified.</exception>
    public static TaskRecoveryBuilder AddKind<TArgs>(this TaskRecoveryBuilder builder, string? kind = null, int? maxAttempts = null)
        where TArgs : notnull
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (EntryRules.InsteadOfMaxAttempts(maxAttempts) is { } instead)
        {
            throw new ArgumentOutOfRangeException(
                nameof(maxAttempts), maxAttempts, $"The number of attempts of {typeof(TArgs)} is {maxAttempts}: {instead}.");
        }

        builder.Kinds().Add(new KindRegistration
        {
            Kind = KindRegistrations.NameOf(typeof(TArgs), kind),
            ArgsType = typeof(TArgs),
            MaxAttempts = maxAttempts,
        });
        return builder;
    }

    /// <summary>Adds a middleware that runs around every attempt. The first one added is the outermost.</summary>
    /// <typeparam name="TMiddleware">The middleware type. It is created in the scope of each attempt, unless the application registered it
    /// with another lifetime.</typeparam>
    /// <param name="builder">The builder returned by <c>AddTaskRecovery</c>.</param>
    public static TaskRecoveryBuilder AddMiddleware<[DynamicallyAccessedMembers(
        DynamicallyAccessedMemberTypes.PublicConstructors)] TMiddleware>(this TaskRecoveryBuilder builder)
        where TMiddleware : class, IWorkMiddleware
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (!builder.Registered<MiddlewareRegistration>().Any(static registration => registration.Type == typeof(TMiddleware)))
        {
            builder.InstanceServices.AddSingleton(new MiddlewareRegistration(typeof(TMiddleware)));
            builder.Services.TryAddScoped<TMiddleware>();
        }

        return builder;
    }
}
