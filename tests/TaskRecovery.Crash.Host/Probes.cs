namespace TaskRecovery.Crash.Host;

/// <summary>Work that does nothing but say that it begins and ends, and stays in between for a while.</summary>
/// <param name="HoldMs">How long it stays, in milliseconds.</param>
/// <param name="IsUnresponsive">Whether it ignores its token.</param>
/// <param name="Blocks">Whether it blocks its thread, and so ignores its token too.</param>
/// <param name="ResultBytes">How large its result is.</param>
/// <param name="Padding">Makes its arguments large.</param>
/// <param name="Until">The path of a file. If it appears, the work ends earlier.</param>
[JobKind("probe.plain")]
public sealed record PlainProbe(
    int HoldMs, bool IsUnresponsive = false, bool Blocks = false, int ResultBytes = 0, string? Padding = null, string? Until = null);

/// <summary>Work in steps, each of which says that it begins and ends.</summary>
/// <param name="Steps">How many steps.</param>
/// <param name="HoldMs">How long each one stays, in milliseconds.</param>
/// <param name="Until">The path of a file. The last step waits until it appears.</param>
[JobKind("probe.steps")]
public sealed record StepsProbe(int Steps, int HoldMs, string? Until = null);

/// <summary>A loop that stores a checkpoint each time around.</summary>
/// <param name="Rounds">How many rounds.</param>
/// <param name="HoldMs">How long each one stays, in milliseconds.</param>
/// <param name="Until">The path of a file. If it appears, the loop ends earlier.</param>
[JobKind("probe.checkpoints")]
public sealed record CheckpointProbe(int Rounds, int HoldMs, string? Until = null);

/// <summary>Work that makes an effect and ends in one transaction of its own: a row in <c>probe_effects</c>.</summary>
/// <param name="HoldMs">How long it stays inside the transaction, in milliseconds.</param>
/// <param name="OpenMs">How long the transaction stays open with the outcome in it, before the commit.</param>
/// <param name="Until">The path of a file. The commit waits until it appears; in SQLite, which has one writer, the begin does.</param>
[JobKind("probe.transaction")]
public sealed record TransactionProbe(int HoldMs, int OpenMs = 0, string? Until = null);

/// <summary>Work that ends with an exception that is hard to store, and then, if it has attempts left, well.</summary>
/// <param name="Number">Which exception.</param>
/// <param name="Times">How many attempts end with it.</param>
[JobKind("probe.odd")]
public sealed record OddProbe(int Number, int Times);

/// <summary>Work that kills its process.</summary>
/// <param name="HoldMs">How long it waits before it does.</param>
/// <param name="Begun">How many handlers must have begun in the process before, if no crash is known of it.</param>
[JobKind("probe.poison")]
public sealed record PoisonProbe(int HoldMs, int Begun = 0);

/// <summary>The run of the probe job.</summary>
/// <param name="HoldMs">How long it stays, in milliseconds.</param>
[JobKind("probe.job")]
public sealed record JobProbe(int HoldMs);
