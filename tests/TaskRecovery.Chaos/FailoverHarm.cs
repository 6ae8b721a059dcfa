using System.Diagnostics;

namespace TaskRecovery.Chaos;

/// <summary>Kills the primary, promotes the standby and gives it a standby of its own.</summary>
internal sealed class FailoverHarm(ReplicaSet replicas, Fleet fleet, Random random)
{
    private static readonly TimeSpan Lost = TimeSpan.FromSeconds(2);

    private Task _last = Task.CompletedTask;

    /// <summary>The failover of a kind; null if it is another harm.</summary>
    /// <remarks>It does nothing while another failover is under way, as there is one pair, and before a worker works, as it would prove
    /// nothing.</remarks>
    public Func<Task>? Find(string kind) => HarmKinds.IsFailover(kind)
        ? () => _last.IsCompleted && fleet.Alive.Any(worker => worker.HasWorked) ? _last = FailOverAsync(kind) : Task.CompletedTask
        : null;

    private async Task FailOverAsync(string kind)
    {
        var pair = replicas.Pair;
        var at = Stopwatch.GetTimestamp();
        switch (kind)
        {
            case HarmKinds.FailoverWithoutStandby:
                // Nothing may be confirmed meanwhile: for longer than a statement may take, or not.
                await pair.StopStandbyAsync();
                await Task.Delay(TimeSpan.FromSeconds(random.Next(1, 9)));
                await pair.KillPrimaryAsync();
                await pair.StartStandbyAsync();
                break;
            case HarmKinds.LossyFailover:
                // What is confirmed from here on is on the primary alone.
                await pair.MakeAsynchronousAsync();
                await pair.StopStandbyAsync();
                await Task.Delay(Lost);
                await pair.KillPrimaryAsync();
                await pair.StartStandbyAsync();
                break;
            default:
                await pair.KillPrimaryAsync();
                await Task.Delay(TimeSpan.FromSeconds(random.NextDouble() * 3));
                break;
        }

        var promoted = Stopwatch.GetTimestamp();
        await pair.PromoteStandbyAsync();
        replicas.MoveAddress();
        fleet.Record(kind, null, at, promoted);
        await pair.RenewAsync();
        await pair.MakeSynchronousAsync();
    }
}
