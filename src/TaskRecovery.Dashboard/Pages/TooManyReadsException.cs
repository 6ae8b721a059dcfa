namespace TaskRecovery.Dashboard.Pages;

/// <summary>A read was not started, because too many are unfinished.</summary>
/// <param name="isOfUser">Whether they are the same user's.</param>
internal sealed class TooManyReadsException(bool isOfUser) : Exception(isOfUser
    ? "Your earlier questions are still being answered. Wait until they have ended, then ask again."
    : "The questions of other users are still being answered. Nothing is lost; ask again in a moment.")
{
    public bool IsOfUser => isOfUser;
}
