using Microsoft.Extensions.Logging;
using TaskRecovery.Diagnostics;
using TaskRecovery.Recovery;

namespace TaskRecovery.Jobs;

/// <summary>A job that the application declares in its code.</summary>
/// <param name="Name">The job's name.</param>
/// <param name="ArgsType">The type of its arguments.</param>
/// <param name="Declare">Creates or changes it.</param>
internal sealed record JobDeclaration(string Name, Type ArgsType, Func<IJobService, CancellationToken, Task<Job>> Declare);

/// <summary>Creates or changes the declared jobs at every start, before job recovery plans what has no next run. Declaring the same job again changes nothing.</summary>
internal sealed class JobDeclarations(IEnumerable<JobDeclaration> declarations, IJobService jobs, ILogger<JobDeclarations> logger) : IStartupStep
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (var declaration in declarations)
        {
            var job = await declaration.Declare(jobs, cancellationToken).ConfigureAwait(false);
            logger.JobDeclared(job.Name, job.Id, job.Schedule, job.NextRunAt);
        }
    }
}
