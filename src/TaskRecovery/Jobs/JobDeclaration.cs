using TaskRecovery.Storage;

namespace TaskRecovery.Jobs;

/// <summary>A job that the application declares in its code.</summary>
/// <param name="Name">The job's name.</param>
/// <param name="ArgsType">The type of its arguments.</param>
/// <param name="IsDeclaredAs">Returns whether a stored digest is that of the declaration (see <see cref="JobDigest"/>).</param>
/// <param name="Declare">Returns the job to store for the application of the given name.</param>
internal sealed record JobDeclaration(
    string Name, Type ArgsType, Func<JobService, string, bool> IsDeclaredAs,
    Func<JobService, string, CancellationToken, Task<NewJob>> Declare);
