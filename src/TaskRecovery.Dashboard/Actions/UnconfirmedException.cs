namespace TaskRecovery.Dashboard.Actions;

/// <summary>The database did not confirm an action, which may have been stored nevertheless.</summary>
/// <param name="failure">What the store threw.</param>
/// <param name="look">The pages below the root that show whether it was done.</param>
internal sealed class UnconfirmedException(Exception failure, IReadOnlyList<string> look) : Exception(failure.Message, failure)
{
    public IReadOnlyList<string> Look => look;

    /// <summary>Makes a call that changes something.</summary>
    /// <remarks>Only such calls go through it: a read that fails has changed nothing, and its own failure says what to do.</remarks>
    public static async ValueTask<T> WhileAsync<T>(Func<ValueTask<T>> change)
    {
        try
        {
            return await change().ConfigureAwait(false);
        }
        catch (Exception failure) when (IsCause(failure))
        {
            throw new UnconfirmedException(failure, []);
        }
    }

    /// <summary>Whether a failure says nothing about what was stored.</summary>
    public static bool IsCause(Exception failure) => failure is StoreUnavailableException or TimeoutException;
}
