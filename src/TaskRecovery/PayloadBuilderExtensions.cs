using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection.Extensions;
using TaskRecovery;
using TaskRecovery.Hosting;
using TaskRecovery.Kinds;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers codecs for payloads. Every method is safe to call twice.</summary>
public static class PayloadBuilderExtensions
{
    /// <summary>Encodes the payloads of one kind: the arguments of its entries or jobs, and the results, steps and checkpoints of its
    /// worker or task handler. Call it in each process that enqueues or runs the kind.</summary>
    /// <remarks>Payloads that were stored before, without a codec or with another registered one, can still be read. Metadata, unique keys
    /// and error texts are not encoded.</remarks>
    /// <typeparam name="TArgs">The arguments type of the kind.</typeparam>
    /// <typeparam name="TCodec">The codec. It is created once, from the application's services.</typeparam>
    /// <param name="builder">The builder returned by <c>AddTaskRecovery</c>.</param>
    /// <exception cref="InvalidOperationException">The kind has another codec already.</exception>
    public static TaskRecoveryBuilder AddPayloadCodec<TArgs, [DynamicallyAccessedMembers(
        DynamicallyAccessedMemberTypes.PublicConstructors)] TCodec>(this TaskRecoveryBuilder builder)
        where TArgs : notnull
        where TCodec : class, IPayloadCodec
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (builder.Registered<PayloadCodecRegistration>().FirstOrDefault(static other => other.ArgsType == typeof(TArgs)) is { } existing
            && existing.CodecType != typeof(TCodec))
        {
            throw new InvalidOperationException(
                $"The payloads of {typeof(TArgs)} have the codec {existing.CodecType}, and now {typeof(TCodec)}. Keep one of them, "
                + $"and add the other one with AddPayloadCodec<{typeof(TCodec).Name}>() if it is to read older payloads.");
        }

        return Add<TCodec>(builder, typeof(TArgs));
    }

    /// <summary>Makes a codec available for reading, so that payloads can be read which were stored with it before their kind got another
    /// codec or none.</summary>
    /// <typeparam name="TCodec">The codec. It is created once, from the application's services.</typeparam>
    /// <param name="builder">The builder returned by <c>AddTaskRecovery</c>.</param>
    public static TaskRecoveryBuilder AddPayloadCodec<[DynamicallyAccessedMembers(
        DynamicallyAccessedMemberTypes.PublicConstructors)] TCodec>(this TaskRecoveryBuilder builder)
        where TCodec : class, IPayloadCodec
    {
        ArgumentNullException.ThrowIfNull(builder);
        return Add<TCodec>(builder, argsType: null);
    }

    private static TaskRecoveryBuilder Add<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TCodec>(
        TaskRecoveryBuilder builder, Type? argsType)
        where TCodec : class, IPayloadCodec
    {
        builder.Services.TryAddSingleton<TCodec>();
        builder.InstanceServices.AddSingleton(new PayloadCodecRegistration(
            argsType,
            typeof(TCodec),
            static services => services.GetRequiredService<ApplicationServices>().Provider.GetRequiredService<TCodec>()));
        return builder;
    }
}
