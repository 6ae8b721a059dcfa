namespace TaskRecovery.Cli.Output;

/// <summary>The JSON of <c>job backfill</c>: the job, and how many runs were stored.</summary>
internal sealed record BackfillResult(string Job, int Runs);
