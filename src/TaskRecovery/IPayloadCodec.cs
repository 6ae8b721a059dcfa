namespace TaskRecovery;

/// <summary>Transforms the payloads of a kind before they are stored, for example to encrypt or to compress them. Payloads are arguments,
/// results, steps and checkpoints. Register it with <c>AddPayloadCodec</c>.</summary>
/// <remarks>Called from many threads at once. A method that throws fails the call that stores the payload, or the attempt that reads it;
/// such an attempt is retried like any other.</remarks>
public interface IPayloadCodec
{
    /// <summary>The name that is stored with each payload and selects the codec that reads it. Keep it for as long as payloads with it
    /// exist. 1 to 50 letters, digits, dots, hyphens or underscores.</summary>
    string Id { get; }

    /// <summary>Encodes a payload.</summary>
    /// <param name="json">The payload as UTF-8 JSON.</param>
    /// <returns>The bytes to store. They are stored as base64.</returns>
    byte[] Encode(ReadOnlyMemory<byte> json);

    /// <summary>Decodes a payload.</summary>
    /// <param name="data">The bytes that <see cref="Encode"/> returned. A role that may write the tables can change them.</param>
    /// <returns>The payload as UTF-8 JSON.</returns>
    byte[] Decode(ReadOnlyMemory<byte> data);
}
