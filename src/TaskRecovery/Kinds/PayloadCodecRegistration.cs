namespace TaskRecovery.Kinds;

/// <summary>A registered codec.</summary>
/// <param name="ArgsType">The arguments type of the kind whose payloads it encodes; <see langword="null"/> if it only reads.</param>
/// <param name="CodecType">The type of the codec.</param>
/// <param name="Create">Returns the codec of one host.</param>
internal sealed record PayloadCodecRegistration(Type? ArgsType, Type CodecType, Func<IServiceProvider, IPayloadCodec> Create);
