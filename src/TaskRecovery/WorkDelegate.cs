namespace TaskRecovery;

/// <summary>The rest of the pipeline that runs an entry.</summary>
public delegate Task WorkDelegate(WorkContext context, CancellationToken cancellationToken);
