namespace TaskRecovery.Workers;

/// <summary>The runner of a kind, as it was registered together with the kind.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Create">Creates the runner in one host.</param>
internal sealed record RunnerRegistration(string Kind, Func<IServiceProvider, KindRunner> Create);
