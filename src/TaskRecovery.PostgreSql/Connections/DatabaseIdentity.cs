namespace TaskRecovery.PostgreSql;

/// <summary>What tells a database from others of the same name.</summary>
/// <param name="Number">The number of the database on its server; <see langword="null"/> if the role may not read it.</param>
/// <param name="Server">The number of the server; <see langword="null"/> if the role may not read it.</param>
internal sealed record DatabaseIdentity(long? Number, long? Server)
{
    /// <summary>Whether both may be the same database.</summary>
    internal bool MayBe(DatabaseIdentity other)
        => MayBe(Number, other.Number) && MayBe(Server, other.Server);

    /// <summary>Whether both are known to be the same database, whatever its name is.</summary>
    internal bool Is(DatabaseIdentity other) => Number is not null && Server is not null && this == other;

    private static bool MayBe(long? one, long? other) => one is null || other is null || one == other;
}
