using TaskRecovery.Hosting;

namespace TaskRecovery.Nodes;

/// <summary>Signals from the node's thread to the recovery loops.</summary>
internal sealed class NodeSignals
{
    private bool _isReported;
    private volatile bool _ignoresReports;

    /// <summary>A dead node has claims to recover.</summary>
    public Signal SweepDue { get; } = new();

    /// <summary>Whether reports of heartbeats set no signal, because the last sweep that followed one was in vain: the reports arrive each
    /// second for as long as another transaction holds a row of that node. The death of another node still sets the signal.</summary>
    public bool IgnoresReports
    {
        get => _ignoresReports;
        set => _ignoresReports = value;
    }

    /// <summary>A heartbeat has found that a dead node has claims.</summary>
    public void ReportDeadNode()
    {
        Volatile.Write(ref _isReported, true);
        if (!_ignoresReports)
        {
            SweepDue.Set();
        }
    }

    /// <summary>Returns whether a heartbeat has reported a dead node since the last call.</summary>
    public bool TakeReport() => Interlocked.Exchange(ref _isReported, false);

    /// <summary>The answer of a claim call may have been lost.</summary>
    public Signal ReconcileDue { get; } = new();
}
