namespace TaskRecovery;

/// <summary>One entry to be stored by <see cref="IJobQueue.EnqueueManyAsync"/>.</summary>
public sealed class EnqueueRequest
{
    private EnqueueRequest(object args, Type argsType, EnqueueOptions? options)
    {
        Args = args;
        ArgsType = argsType;
        Options = options;
    }

    /// <summary>The arguments of the entry.</summary>
    public object Args { get; }

    /// <summary>The type under which the arguments are registered and serialized.</summary>
    public Type ArgsType { get; }

    /// <summary>The options of the entry; <see langword="null"/> means the defaults.</summary>
    public EnqueueOptions? Options { get; }

    /// <summary>Creates a request to store one entry.</summary>
    /// <param name="args">The arguments, stored as JSON.</param>
    /// <param name="options">The options of the entry; <see langword="null"/> means run now, with the defaults.</param>
    public static EnqueueRequest Create<TArgs>(TArgs args, EnqueueOptions? options = null)
        where TArgs : notnull
        => new(args, typeof(TArgs), options);
}
