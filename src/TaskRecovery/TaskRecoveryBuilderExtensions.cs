using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection.Extensions;
using TaskRecovery;
using TaskRecovery.Queue;
using TaskRecovery.Workers;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Says what this process works and enqueues. Every method is safe to call twice.</summary>
public static class TaskRecoveryBuilderExtensions
{
    /// <summary>Works a queue in this process.</summary>
    /// <param name="builder">What <c>AddTaskRecovery</c> returned.</param>
    /// <param name="name">The queue's name. At most 100 bytes of UTF-8.</param>
    /// <param name="concurrency">How many entries run at the same time; <see langword="null"/> leaves what is configured, or the default (see <see cref="QueueOptions.Concurrency"/>).</param>
    /// <param name="prefetch">How many more may be claimed ahead; <see langword="null"/> leaves what is configured, or the default (see <see cref="QueueOptions.Prefetch"/>).</param>
    public static TaskRecoveryBuilder AddQueue(this TaskRecoveryBuilder builder, string name, int? concurrency = null, int? prefetch = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        builder.Services.Configure<TaskRecoveryOptions>(options =>
        {
            if (!options.Queues.TryGetValue(name, out var queue))
            {
                queue = options.Queues[name] = new QueueOptions();
            }

            queue.Concurrency = concurrency ?? queue.Concurrency;
            queue.Prefetch = prefetch ?? queue.Prefetch;
        });
        return builder;
    }

    /// <summary>Works the entries of one kind in this process.</summary>
    /// <typeparam name="TArgs">The arguments of the kind.</typeparam>
    /// <typeparam name="TWorker">Its worker, created in a scope of its own for every attempt unless it is registered otherwise.</typeparam>
    /// <param name="builder">What <c>AddTaskRecovery</c> returned.</param>
    /// <param name="kind">The kind; <see langword="null"/> takes it from the <see cref="JobKindAttribute"/> of <typeparamref name="TArgs"/>.</param>
    /// <param name="configure">Attempts, time limit and waits.</param>
    /// <exception cref="InvalidOperationException">The kind or the type of the arguments is registered for something else, or there is no kind.</exception>
    public static TaskRecoveryBuilder AddWorker<TArgs, [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TWorker>(
        this TaskRecoveryBuilder builder, string? kind = null, Action<WorkerOptions>? configure = null)
        where TArgs : notnull
        where TWorker : class, IJobWorker<TArgs>
    {
        ArgumentNullException.ThrowIfNull(builder);
        var options = new WorkerOptions();
        configure?.Invoke(options);
        builder.Kinds().Add(new KindRegistration
        {
            Kind = KindRegistrations.NameOf(typeof(TArgs), kind),
            ArgsType = typeof(TArgs),
            WorkerType = typeof(TWorker),
            CreateRunner = static services => new WorkerRunner<TArgs, TWorker>(services.GetRequiredService<WorkPipeline>(), services.GetRequiredService<EntryJson>()),
            Options = WorkerOptionsValidator.Check(options, typeof(TWorker)),
        });
        builder.Services.TryAddScoped<TWorker>();
        return builder;
    }

    /// <inheritdoc cref="AddWorker{TArgs, TWorker}(TaskRecoveryBuilder, string?, Action{WorkerOptions}?)"/>
    public static TaskRecoveryBuilder AddWorker<TArgs, [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TWorker>(
        this TaskRecoveryBuilder builder, Action<WorkerOptions> configure)
        where TArgs : notnull
        where TWorker : class, IJobWorker<TArgs>
        => builder.AddWorker<TArgs, TWorker>(kind: null, configure);

    /// <summary>Lets this process enqueue a kind that others work.</summary>
    /// <typeparam name="TArgs">The arguments of the kind.</typeparam>
    /// <param name="builder">What <c>AddTaskRecovery</c> returned.</param>
    /// <param name="kind">The kind; <see langword="null"/> takes it from the <see cref="JobKindAttribute"/> of <typeparamref name="TArgs"/>.</param>
    /// <exception cref="InvalidOperationException">The kind or the type of the arguments is registered for something else, or there is no kind.</exception>
    public static TaskRecoveryBuilder AddKind<TArgs>(this TaskRecoveryBuilder builder, string? kind = null)
        where TArgs : notnull
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Kinds().Add(new KindRegistration { Kind = KindRegistrations.NameOf(typeof(TArgs), kind), ArgsType = typeof(TArgs) });
        return builder;
    }

    /// <summary>Puts code around every execution. The first one added is the outermost.</summary>
    /// <typeparam name="TMiddleware">The middleware, created in the scope of each attempt unless it is registered otherwise.</typeparam>
    /// <param name="builder">What <c>AddTaskRecovery</c> returned.</param>
    public static TaskRecoveryBuilder AddMiddleware<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TMiddleware>(this TaskRecoveryBuilder builder)
        where TMiddleware : class, IWorkMiddleware
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (!builder.Services.Any(service => service.ImplementationInstance is MiddlewareRegistration registration && registration.Type == typeof(TMiddleware)))
        {
            builder.Services.AddSingleton(new MiddlewareRegistration(typeof(TMiddleware)));
            builder.Services.TryAddScoped<TMiddleware>();
        }

        return builder;
    }
}
