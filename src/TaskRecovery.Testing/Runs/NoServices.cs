using TaskRecovery.Kinds;

namespace TaskRecovery.Testing.Runs;

/// <summary>The services of a run whose test has given none: only what the engine needs itself.</summary>
internal sealed class NoServices : IServiceProvider
{
    private static readonly WorkerSettings Settings = new([], new KindRegistrations());

    public static NoServices Instance { get; } = new();

    public static PayloadCodecs Codecs { get; } = new([], Instance);

    public object? GetService(Type serviceType)
        => serviceType == typeof(WorkerSettings) ? Settings : serviceType == typeof(PayloadCodecs) ? Codecs : null;
}
