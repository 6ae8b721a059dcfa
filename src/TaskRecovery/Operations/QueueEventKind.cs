namespace TaskRecovery;

/// <summary>What an event is about.</summary>
public enum QueueEventKind
{
    /// <summary>A node joined.</summary>
    NodeJoined = 0,

    /// <summary>A node left by itself.</summary>
    NodeLeft = 1,

    /// <summary>A node was declared dead. <see cref="QueueEvent.Detail"/> has the proof and the node that declared it.</summary>
    NodeDied = 2,

    /// <summary>A sweep recovered the work of a dead node.</summary>
    Swept = 3,

    /// <summary>An entry was failed because its runs kept crashing nodes.</summary>
    CrashLoop = 4,

    /// <summary>An operator retried an entry.</summary>
    EntryRetried = 10,

    /// <summary>An operator cancelled an entry.</summary>
    EntryCancelled = 11,

    /// <summary>The data of an entry were erased.</summary>
    EntryErased = 12,

    /// <summary>An operator recovered the work of a dead node (see <see cref="QueueEvent.Node"/>) or, if the event names no node, tasks
    /// whose entry was missing or had ended. <see cref="QueueEvent.Entries"/> is the number of these entries or tasks.</summary>
    WorkRecovered = 13,

    /// <summary>A queue, kind or job was paused.</summary>
    Paused = 20,

    /// <summary>A queue, kind or job was resumed.</summary>
    Resumed = 21,

    /// <summary>A job was run outside its schedule.</summary>
    JobTriggered = 22,

    /// <summary>A job was run for due times of the past.</summary>
    JobBackfilled = 23,

    /// <summary>A job was deleted.</summary>
    JobDeleted = 24,

    /// <summary>Missed runs of a job are not made up for (see <see cref="MissedRunPolicy.RunAll"/>).</summary>
    RunsDropped = 25,

    /// <summary>A bulk operation was started.</summary>
    OperationStarted = 30,

    /// <summary>A bulk operation reached its end.</summary>
    OperationEnded = 31,

    /// <summary>A bulk operation was stopped by an operator.</summary>
    OperationStopped = 32,

    /// <summary>A bulk operation was undone by an operator.</summary>
    OperationUndone = 33,

    /// <summary>A tool refused an action, because its user had no right to it.</summary>
    Refused = 40,
}
