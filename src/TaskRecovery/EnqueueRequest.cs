namespace TaskRecovery;

/// <summary>One entry of <see cref="IJobQueue.EnqueueManyAsync"/>.</summary>
public sealed class EnqueueRequest
{
    private EnqueueRequest(object args, Type argsType, EnqueueOptions? options)
    {
        Args = args;
        ArgsType = argsType;
        Options = options;
    }

    /// <summary>The arguments.</summary>
    public object Args { get; }

    /// <summary>The type the arguments are registered and serialised as.</summary>
    public Type ArgsType { get; }

    /// <summary>When and where to run it.</summary>
    public EnqueueOptions? Options { get; }

    /// <summary>Describes one entry.</summary>
    /// <param name="args">The work to do.</param>
    /// <param name="options">When and where to run it; <see langword="null"/> means now, with the defaults.</param>
    public static EnqueueRequest Create<TArgs>(TArgs args, EnqueueOptions? options = null)
        where TArgs : notnull
        => new(args, typeof(TArgs), options);
}
