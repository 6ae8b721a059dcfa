using System.Text;
using Microsoft.Extensions.Options;
using TaskRecovery.Diagnostics;
using TaskRecovery.Kinds;
using TaskRecovery.Rules;
using TaskRecovery.Storage;

namespace TaskRecovery.Queue;

/// <summary>Creates the entry to store from the caller's arguments and options, and rejects values that can't be stored. Every message
/// names the value and the remedy.</summary>
internal sealed class EntryFactory(KindRegistry kinds, EntryJson json, IOptions<TaskRecoveryOptions> options)
{
    private static readonly EnqueueOptions Defaults = new();

    private readonly int _maxArgsBytes = options.Value.MaxArgsBytes;

    public NewEntry Create<TArgs>(TArgs args, EnqueueOptions? enqueue)
        where TArgs : notnull
    {
        ArgumentNullException.ThrowIfNull(args);
        var kind = kinds.ForArgs(typeof(TArgs));
        return Create(kind, Checked(kind, json.Write(args)), enqueue ?? Defaults);
    }

    public NewEntry Create(EnqueueRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(request.Args, nameof(request));
        var kind = kinds.ForArgs(request.ArgsType);
        return Create(kind, Checked(kind, json.Write(request.Args, request.ArgsType)), request.Options ?? Defaults);
    }

    private static NewEntry Create(BoundKind kind, byte[] args, EnqueueOptions options)
    {
        Check(options);
        return new NewEntry
        {
            Kind = kind.Name,
            Queue = options.Queue ?? EntryLimits.DefaultQueue,
            Priority = options.Priority,
            Args = Encoded(kind, args),
            RunAt = options.RunAt < EntryLimits.EarliestTime ? EntryLimits.EarliestTime : options.RunAt,
            RunAfter = options.RunAfter,
            ExpiresAt = options.ExpiresAt < EntryLimits.EarliestTime ? EntryLimits.EarliestTime : options.ExpiresAt,
            MaxAttempts = options.MaxAttempts ?? kind.Options.MaxAttempts,
            UniqueKey = options.UniqueKey,
            Timeout = options.Timeout,
            Metadata = Metadata(options),
            TraceParent = Tracing.TraceParent,
        };
    }

    private static void Check(EnqueueOptions options)
    {
        if (options.Queue is not null)
        {
            NameRules.Queue.Check(options.Queue, nameof(options.Queue), nameof(options));
        }

        if (EntryRules.InsteadOfPriority(options.Priority) is { } priority)
        {
            throw OutOfRange(options, options.Priority, nameof(options.Priority), priority);
        }

        if (options is { RunAt: not null, RunAfter: not null })
        {
            throw new ArgumentException(
                $"Both {nameof(options.RunAt)} ({options.RunAt:O}) and {nameof(options.RunAfter)} ({options.RunAfter}) are set: "
                + "set one of them.", nameof(options));
        }

        if (options.RunAt > EntryLimits.LatestTime)
        {
            throw new ArgumentOutOfRangeException(nameof(options), options.RunAt, $"{nameof(options.RunAt)} is {options.RunAt:O}: "
                + $"use a time before {EntryLimits.LatestTime:yyyy-MM-dd}. To keep an entry from running, pause its queue.");
        }

        if (options.RunAfter is { } delay && (delay < TimeSpan.Zero || delay > EntryLimits.LongestDelay))
        {
            throw new ArgumentOutOfRangeException(
                nameof(options), delay, $"{nameof(options.RunAfter)} is {delay}: use zero to {EntryLimits.LongestDelay}.");
        }

        if (options.ExpiresAt > EntryLimits.LatestTime)
        {
            throw new ArgumentOutOfRangeException(nameof(options), options.ExpiresAt, $"{nameof(options.ExpiresAt)} "
                + $"is {options.ExpiresAt:O}: use a time before {EntryLimits.LatestTime:yyyy-MM-dd}, or null for no limit.");
        }

        if (options.ExpiresAt <= options.RunAt)
        {
            throw new ArgumentException(
                $"{nameof(options.ExpiresAt)} ({options.ExpiresAt:O}) is not after {nameof(options.RunAt)} ({options.RunAt:O}), "
                + "so the entry could never run: use a later time.", nameof(options));
        }

        if (EntryRules.InsteadOfMaxAttempts(options.MaxAttempts) is { } attempts)
        {
            throw OutOfRange(options, options.MaxAttempts, nameof(options.MaxAttempts), attempts);
        }

        if (EntryRules.InsteadOfTimeout(options.Timeout) is { } timeout)
        {
            throw OutOfRange(options, options.Timeout, nameof(options.Timeout), timeout);
        }

        CheckUniqueKey(options);
    }

    private static ArgumentOutOfRangeException OutOfRange(EnqueueOptions options, object? value, string property, string instead)
        => new(nameof(options), value, $"{property} is {value}: {instead}.");

    private static void CheckUniqueKey(EnqueueOptions options)
    {
        if (options.UniqueKey is not { } key)
        {
            return;
        }

        if (key.Length == 0)
        {
            throw new ArgumentException(
                $"{nameof(options.UniqueKey)} {NameRules.UniqueKey.Problem(key)}, or null for no key.", nameof(options));
        }

        NameRules.UniqueKey.Check(key, nameof(options.UniqueKey), nameof(options));
    }

    private static string? Metadata(EnqueueOptions options)
    {
        if (options.Metadata is not { } metadata)
        {
            return null;
        }

        foreach (var (name, value) in metadata)
        {
            if (value is null || name.Contains('\0', StringComparison.Ordinal) || value.Contains('\0', StringComparison.Ordinal))
            {
                throw new ArgumentException(
                    $"{nameof(options.Metadata)} "
                    + $"'{EntryText.Shown(name)}' {(value is null ? "is null" : "has a NUL character in its name or value")}: "
                    + "give it a text without NUL characters, which databases can't store.", nameof(options));
            }
        }

        var stored = EntryMetadata.Write(metadata);
        return stored is not null && Encoding.UTF8.GetByteCount(stored) is var bytes and > EntryLimits.MaxMetadataBytes
            ? throw new ArgumentException(
                $"{nameof(options.Metadata)} has {bytes:N0} bytes of JSON, and at most {EntryLimits.MaxMetadataBytes:N0} are "
                + "stored: put large data into the arguments, or store it elsewhere and pass its key.", nameof(options))
            : stored;
    }

    private static byte[] Encoded(BoundKind kind, byte[] args)
    {
        var stored = PayloadCodecs.Encode(kind.Codec, args);
        return stored.Length <= EntryLimits.MaxStoredArgsBytes
            ? stored
            : throw new ArgumentException(
                $"The arguments of '{kind.Name}' have {stored.Length:N0} bytes after their codec, and at most "
                + $"{EntryLimits.MaxStoredArgsBytes:N0} are stored: store large data elsewhere and pass its key.",
                nameof(args));
    }

    private byte[] Checked(BoundKind kind, byte[] args)
    {
        if (args.Length > _maxArgsBytes)
        {
            throw new ArgumentException(
                $"The arguments of '{kind.Name}' have {args.Length:N0} bytes of JSON, and {nameof(TaskRecoveryOptions.MaxArgsBytes)} "
                + $"is {_maxArgsBytes:N0}: store large data elsewhere and pass its key, or raise the limit.",
                nameof(args));
        }

        if (EntryText.HasEscapedNul(args))
        {
            throw new ArgumentException(
                $"The arguments of '{kind.Name}' have a text with a NUL character, which databases can't store: remove it.", nameof(args));
        }

        return args;
    }
}
