using TaskRecovery.Hosting;

namespace TaskRecovery.Claims;

/// <summary>One queue that this process serves: its claimer and its executors.</summary>
internal sealed class QueueWorker
{
    public QueueWorker(string queue, QueueOptions options, WorkServices services)
    {
        var signal = new Signal();
        Executors = new ExecutorPool(options, services, signal);
        Claimer = new ClaimLoop(queue, services, Executors, signal);
    }

    /// <summary>Claims entries.</summary>
    public ClaimLoop Claimer { get; }

    /// <summary>Runs the claimed entries.</summary>
    public ExecutorPool Executors { get; }
}
