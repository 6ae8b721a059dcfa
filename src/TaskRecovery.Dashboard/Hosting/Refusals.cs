using Microsoft.Extensions.Logging;
using TaskRecovery.Dashboard.Actions;
using TaskRecovery.Dashboard.Diagnostics;

namespace TaskRecovery.Dashboard.Hosting;

/// <summary>Records that a user tried to act without the right to: at most once a minute for each user, so that a user can't fill the list
/// of events.</summary>
internal sealed class Refusals(IQueueOperator operations, TimeProvider time, ILogger<Refusals> logger)
{
    private const int MaxUsers = 1_000;
    private static readonly TimeSpan Quiet = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _last = new(StringComparer.Ordinal);

    public async ValueTask RecordAsync(DashboardRequest request, string action)
    {
        Log.ActionRefused(logger, request.Access.User, action);
        if (!IsFirst(request.Access.User))
        {
            return;
        }

        try
        {
            await operations.RecordRefusalAsync(action, Audits.Of(request.Access.User, null), request.Aborted).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is TaskRecoveryException || Failures.Explain(failure) is not null)
        {
            Forget(request.Access.User);
            Log.Failed(logger, failure, $"Recording that '{action}' was refused");
        }
    }

    // Nothing was recorded, so the next refusal is the first.
    private void Forget(string user)
    {
        lock (_lock)
        {
            _last.Remove(user);
        }
    }

    private bool IsFirst(string user)
    {
        lock (_lock)
        {
            if (_last.TryGetValue(user, out var last) && time.GetElapsedTime(last) < Quiet)
            {
                return false;
            }

            if (_last.Count >= MaxUsers)
            {
                _last.Clear();
            }

            _last[user] = time.GetTimestamp();
            return true;
        }
    }
}
