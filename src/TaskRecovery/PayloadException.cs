namespace TaskRecovery;

/// <summary>A payload could not be encoded or decoded by its <see cref="IPayloadCodec"/>, or its codec is not registered in this
/// host.</summary>
public sealed class PayloadException : TaskRecoveryException
{
    /// <summary>Creates one.</summary>
    public PayloadException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
