using System.Reflection;
using Microsoft.EntityFrameworkCore;

namespace TaskRecovery.EntityFrameworkCore.Saving;

/// <summary>The overrides of <c>SaveChangesAsync</c> in the classes of a context. EF Core's short overload calls the one with <c>bool</c>,
/// and not the reverse: a save that has to accept the changes later must call the latter, and so skips an override of the short one, with
/// all that it sets.</summary>
internal static class SaveOverrides
{
    /// <summary>Refuses a context of which a class overrides the short overload alone. A class that overrides both is expected to do the
    /// same in both.</summary>
    /// <param name="context">The context.</param>
    /// <param name="retries">Whether its execution strategy repeats what fails. EF Core then refuses a transaction that begins outside
    /// the strategy.</param>
    /// <exception cref="InvalidOperationException">There is such a class.</exception>
    public static void RefuseSkipped(DbContext context, bool retries)
    {
        for (var type = context.GetType(); type is not null && type != typeof(DbContext); type = type.BaseType)
        {
            if (Overrides(type, typeof(CancellationToken)) && !Overrides(type, typeof(bool), typeof(CancellationToken)))
            {
                throw new InvalidOperationException(
                    $"{type.Name} overrides SaveChangesAsync(CancellationToken) only. A transaction of this call accepts the changes after "
                    + "its commit, which only SaveChangesAsync(bool, CancellationToken) can do, and that would skip the override. Override "
                    + "SaveChangesAsync(bool acceptAllChangesOnSuccess, CancellationToken cancellationToken) instead: EF Core calls it for "
                    + "both. Or begin a transaction before the call"
                    + (retries
                        ? ", inside Database.CreateExecutionStrategy().ExecuteInTransactionAsync(...), because the strategy of this "
                            + "context repeats what fails (docs/ef-core.md, 'With EnableRetryOnFailure')."
                        : "."));
            }
        }
    }

    private static bool Overrides(Type type, params Type[] parameters)
        => type.GetMethod(
            nameof(DbContext.SaveChangesAsync), BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly, parameters)
                ?.GetBaseDefinition().DeclaringType == typeof(DbContext);
}
