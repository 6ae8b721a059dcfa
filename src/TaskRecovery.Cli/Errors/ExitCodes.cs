namespace TaskRecovery.Cli.Errors;

/// <summary>The exit codes, as <c>docs/cli.md</c> lists them.</summary>
internal static class ExitCodes
{
    public const int Done = 0;

    /// <summary>A check found something, or the action was refused.</summary>
    public const int Found = 1;

    public const int Usage = 2;

    public const int NotReachable = 3;

    /// <summary>The database can't be used, or a job can't be planned here.</summary>
    public const int NotUsable = 4;

    /// <summary>A part of the entries was not changed.</summary>
    public const int PartlyDone = 5;

    public const int NotFound = 6;

    /// <summary>Interrupted by Ctrl-C, or the question was not answered with yes.</summary>
    public const int Interrupted = 130;

    /// <summary>Nobody reads the output any more, as after SIGPIPE.</summary>
    public const int NoReader = 141;
}
