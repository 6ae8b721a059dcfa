using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using TaskRecovery.Rules;
using TaskRecovery.Storage;

namespace TaskRecovery.Jobs;

/// <summary>A digest of what an application declares about a job. If it is the stored one, the code has not changed since it was applied,
/// and what was changed at run time stays.</summary>
/// <remarks>Properties with their default value are omitted, so that a version of the library with a new property computes the same
/// digest. The attempts of the handler follow the digest of the rest (<see cref="NewJob.IsDeclaredAs"/>).</remarks>
internal static class JobDigest
{
    public static string Of(JobDefinition definition, TaskKind kind, ReadOnlySpan<byte> args)
    {
        const int usual = EntryLimits.DefaultMaxAttempts;
        var defaults = new JobDefinition(definition.Name, definition.Schedule);
        var text = new StringBuilder().Append(kind.Kind).Append('\n').Append(definition.Schedule).Append('\n')
            .Append(definition.MaxAttempts ?? usual).Append('\n');
        Add("attempts", definition.MaxAttempts == usual ? usual : null, null);
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
        var digest = Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
        return definition.MaxAttempts is null && kind is { IsHandled: true, Options.MaxAttempts: not usual and var attempts }
            ? string.Create(CultureInfo.InvariantCulture, $"{digest}:{attempts}")
            : digest;

        void Add(string name, object? value, object? unset)
        {
            if (!Equals(value, unset))
            {
                text.Append(name).Append('=').Append(value).Append('\n');
            }
        }
    }
}
