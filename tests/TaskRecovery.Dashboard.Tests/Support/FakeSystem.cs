namespace TaskRecovery.Dashboard.Tests.Support;

/// <summary>What the fake monitor answers with.</summary>
internal sealed class FakeSystem
{
    public required DateTimeOffset Now { get; init; }

    public QueueSnapshot Snapshot { get; set; } = null!;

    public List<KindSummary> Kinds { get; } = [];

    public List<NodeSummary> Nodes { get; } = [];

    /// <summary>The entries. A test that changes them beside the server puts another list in place.</summary>
    public List<EntryLife> Lives { get; set; } = [];

    public List<QueueEvent> Events { get; } = [];

    public List<Job> Jobs { get; } = [];

    public List<TaskRecord> Tasks { get; } = [];

    public List<BulkOperation> Operations { get; } = [];

    public List<RunLogLine> Log { get; } = [];

    public List<EntryGroup> FailedKinds { get; } = [];

    /// <summary>How many entries have failed in all: a count that examines fewer is not complete.</summary>
    public int FailedInAll { get; set; }

    /// <summary>Whether the entries that such a count examines were cancelled.</summary>
    public bool NewestAreCancelled { get; set; }

    public List<EntryGroup> FailedReasons { get; } = [];

    /// <summary>What happens in each interval; the argument is its number counted from the end.</summary>
    public Func<int, EntryTotals> Throughput { get; set; } = static _ => new EntryTotals();

    public string StepResult { get; set; } = "{}";

    public string Checkpoint { get; set; } = "{}";

    /// <summary>How many times each question was asked.</summary>
    public List<string> Asked { get; } = [];
}
