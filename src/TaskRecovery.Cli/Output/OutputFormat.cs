namespace TaskRecovery.Cli.Output;

/// <summary>How data are written.</summary>
internal enum OutputFormat
{
    /// <summary>Lines and tables for people.</summary>
    Text,

    /// <summary>One indented JSON value.</summary>
    Json,

    /// <summary>One JSON value on each line: each item of a list, or the whole result.</summary>
    JsonLines,
}
