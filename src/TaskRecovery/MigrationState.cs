namespace TaskRecovery;

/// <summary>The state of a migration in a database.</summary>
public enum MigrationState
{
    /// <summary>It is applied.</summary>
    Applied = 0,

    /// <summary>It is not applied.</summary>
    Missing = 1,

    /// <summary>It is applied with another content than this library carries.</summary>
    Changed = 2,

    /// <summary>A newer library applied it. This library can work with it.</summary>
    Newer = 3,

    /// <summary>A newer library applied it. This library can't work with it.</summary>
    TooNew = 4,
}
