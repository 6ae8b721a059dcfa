using System.Security.Cryptography;
using System.Text;
using TaskRecovery.Storage;

namespace TaskRecovery.Jobs;

/// <summary>A digest of what an application declares about a job. If it is the stored one, the code has not changed since it was applied,
/// and what was changed at run time stays.</summary>
/// <remarks>Properties with their default value are omitted, so that a version of the library with a new property computes the same
/// digest.</remarks>
internal static class JobDigest
{
    public static string Of(JobDefinition definition, string kind, int maxAttempts, ReadOnlySpan<byte> args)
    {
        var defaults = new JobDefinition(definition.Name, definition.Schedule);
        var text = new StringBuilder().Append(kind).Append('\n').Append(definition.Schedule).Append('\n').Append(maxAttempts).Append('\n');
        Add("overlap", definition.Overlap, defaults.Overlap);
        Add("missed", definition.MissedRuns, defaults.MissedRuns);
        Add("within", definition.CatchUpWithin, null);
        Add("limit", definition.CatchUpLimit, defaults.CatchUpLimit);
        Add("expires", definition.ExpiresAfter, null);
        Add("queue", definition.Queue, null);
        Add("priority", definition.Priority, defaults.Priority);
        Add("timeout", definition.Timeout, null);
        Add("start", definition.StartAt?.UtcTicks, null);
        Add("end", definition.EndAt?.UtcTicks, null);
        Add("except", definition.Except, null);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(text.ToString()));
        hash.AppendData(args);
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));

        void Add(string name, object? value, object? unset)
        {
            if (!Equals(value, unset))
            {
                text.Append(name).Append('=').Append(value).Append('\n');
            }
        }
    }
}
