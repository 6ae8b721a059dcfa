namespace TaskRecovery;

/// <summary>A migration of the store's schema.</summary>
/// <param name="Version">The number, which is also the order.</param>
/// <param name="Name">The name, which begins with the number.</param>
/// <param name="State">Whether it is applied, and whether this library can work with it.</param>
/// <param name="AppliedAt">When it was applied; <see langword="null"/> if it is missing.</param>
/// <param name="OldestLibrary">The oldest version of the library that works with it.</param>
public sealed record MigrationStatus(int Version, string Name, MigrationState State, DateTimeOffset? AppliedAt, string OldestLibrary);
