namespace TaskRecovery;

/// <summary>Reads stored payloads of kinds that have an <see cref="IPayloadCodec"/>, such as <see cref="QueueEntry.Result"/> or
/// <see cref="TaskRecord.Result"/>. Entries, jobs and tasks show their payloads as they are stored.</summary>
public interface IPayloadReader
{
    /// <summary>Returns the JSON of a stored payload. A payload that was stored without a codec is returned unchanged.</summary>
    /// <param name="stored">The payload as an entry, a job or a task shows it.</param>
    /// <exception cref="PayloadException">The codec is not registered in this host, or it could not decode the payload.</exception>
    string Read(string stored);
}
