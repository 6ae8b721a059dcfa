using Microsoft.Extensions.DependencyInjection;

namespace TaskRecovery.Kinds;

/// <summary>A kind bound to one host.</summary>
internal sealed class BoundKind(KindRegistration registration, IServiceProvider services)
{
    public string Name => Registration.Kind;

    public KindRegistration Registration { get; } = registration;

    /// <summary>Encodes the payloads of the kind; <see langword="null"/> if it has no codec.</summary>
    public IPayloadCodec? Codec { get; } = services.GetRequiredService<PayloadCodecs>().Find(registration.PayloadType);

    public WorkerOptions Options { get; } = services.GetRequiredService<WorkerSettings>().Of(registration);
}
