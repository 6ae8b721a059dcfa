namespace TaskRecovery.Cli.Output;

/// <summary>The JSON of <c>job run</c>: the job, and the entry that will run it.</summary>
internal sealed record TriggerResult(string Job, long EntryId);
