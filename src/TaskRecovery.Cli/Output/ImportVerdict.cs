namespace TaskRecovery.Cli.Output;

/// <summary>What an import did with one thing.</summary>
internal enum ImportVerdict
{
    Created,

    /// <summary>A dry run would have created it.</summary>
    WouldCreate,

    /// <summary>It was imported before, or is here already.</summary>
    Exists,

    /// <summary>It can't be imported.</summary>
    Refused,
}
