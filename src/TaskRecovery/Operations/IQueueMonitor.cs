namespace TaskRecovery;

/// <summary>Reads the state of the whole system: queues, entries, nodes, tasks and events. For dashboards, tools and operators.</summary>
/// <remarks>
/// <para>Thread-safe. Works without a node: a process that only reads needs the store and nothing else. It uses connections of its own, in
/// read-only transactions with a time limit, and never reads the whole history.</para>
/// <para>Every method throws <see cref="StoreUnavailableException"/> if the database can't be reached, and
/// <see cref="TimeoutException"/> if the database needs longer than the limit of the question (1 second for a snapshot, 3 seconds for a
/// list).</para>
/// </remarks>
public interface IQueueMonitor
{
    /// <summary>The features that the store supports.</summary>
    MonitorFeatures Features { get; }

    /// <summary>The same questions, answered with everything that has been stored. Use it for what is to be changed.</summary>
    /// <value>This object, unless it reads from another server, which may be some time behind.</value>
    IQueueMonitor Current => this;

    /// <summary>Reads the state of all queues at this moment.</summary>
    ValueTask<QueueSnapshot> GetSnapshotAsync(CancellationToken cancellationToken = default);

    /// <summary>Reads how many entries were stored, ended and retried in each interval of a time range.</summary>
    /// <exception cref="ArgumentException">The range is empty, or has more than 5,000 intervals, or more than 100,000 of all queues or
    /// kinds together.</exception>
    ValueTask<Throughput> GetThroughputAsync(ThroughputQuery query, CancellationToken cancellationToken = default);

    /// <summary>Lists all queues, ordered by name.</summary>
    ValueTask<IReadOnlyList<QueueSummary>> ListQueuesAsync(CancellationToken cancellationToken = default);

    /// <summary>Lists all kinds, ordered by name, with how many entries of each wait, and how many living nodes can run them.</summary>
    ValueTask<IReadOnlyList<KindSummary>> ListKindsAsync(CancellationToken cancellationToken = default);

    /// <summary>Lists one page of entries, newest first, without arguments and results.</summary>
    /// <remarks>A page ends when it is full or when <see cref="EntryQuery.MaxExamined"/> entries were examined. Use
    /// <see cref="EntrySummaryPage.NextBefore"/> to look further.</remarks>
    /// <exception cref="ArgumentException">A condition is not valid. The message names the condition, its value and what is
    /// allowed.</exception>
    ValueTask<EntrySummaryPage> ListAsync(EntryQuery query, CancellationToken cancellationToken = default);

    /// <summary>Counts the entries that match a query by kind, reason, queue or state, within the same bound as a list.</summary>
    /// <remarks>A count by reason or state whose query restricts neither the states nor the end examines at most 25,000 entries, because it
    /// looks up each of them. <see cref="EntryGroups.SearchedBackTo"/> and <see cref="EntryGroups.IsComplete"/> say how far a count
    /// has looked.</remarks>
    /// <exception cref="ArgumentException">A condition is not valid. The message names the condition, its value and what is
    /// allowed.</exception>
    ValueTask<EntryGroups> GroupAsync(EntryQuery query, EntryGrouping by, CancellationToken cancellationToken = default);

    /// <summary>Reads everything that is known of one entry: its runs, claim, steps, checkpoint, task and the actions of operators. Returns
    /// <see langword="null"/> if it does not exist, is outside of the scope, or retention has removed it.</summary>
    /// <param name="entryId">The id of the entry.</param>
    /// <param name="scope">The part of the system in which the entry must be; <see langword="null"/> for all. It is checked before anything
    /// else of the entry is read, so that the time of the answer does not reveal that an entry exists outside of the scope.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="ArgumentException">The scope is not valid. The message names the condition, its value and what is
    /// allowed.</exception>
    ValueTask<EntryLife?> GetLifeAsync(long entryId, EntryScope? scope = null, CancellationToken cancellationToken = default);

    /// <summary>Reads the result of a finished step as JSON. Returns <see langword="null"/> if there is no such step.</summary>
    ValueTask<string?> GetStepResultAsync(long entryId, string step, CancellationToken cancellationToken = default);

    /// <summary>Reads the checkpoint of an entry or its task as JSON. Returns <see langword="null"/> if there is none.</summary>
    ValueTask<string?> GetCheckpointAsync(long entryId, CancellationToken cancellationToken = default);

    /// <summary>Reads the log lines of an entry's runs, oldest first. Only kinds with <see cref="WorkerOptions.KeepRunLog"/> have
    /// any.</summary>
    ValueTask<IReadOnlyList<RunLogLine>> ListLogAsync(long entryId, CancellationToken cancellationToken = default);

    /// <summary>Lists the nodes, living ones first: what they serve, whether their heartbeats arrive, and what they hold.</summary>
    ValueTask<IReadOnlyList<NodeSummary>> ListNodesAsync(CancellationToken cancellationToken = default);

    /// <summary>Lists one page of events, newest first: nodes that joined, left or died, sweeps, crash loops and every action of an
    /// operator.</summary>
    /// <exception cref="ArgumentException">A condition is not valid. The message names the condition, its value and what is
    /// allowed.</exception>
    ValueTask<EventPage> ListEventsAsync(EventQuery query, CancellationToken cancellationToken = default);

    /// <summary>Finds a task with its result. Returns <see langword="null"/> if it does not exist, its job is outside of the scope, or
    /// retention has removed it.</summary>
    /// <param name="taskId">The id of the task.</param>
    /// <param name="scope">The part of the system in which the task's job must be; <see langword="null"/> for all. A job is in the part of
    /// its queue and of the kind of its entries, such as <c>task:report</c>. A scope by metadata admits no task, because a job has none; a
    /// task of a deleted job is in no scope. The statement that reads the task compares it, so that the time of the answer does not reveal
    /// that a task exists outside of the scope.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="ArgumentException">The scope is not valid. The message names the condition, its value and what is
    /// allowed.</exception>
    ValueTask<TaskRecord?> FindTaskAsync(Guid taskId, EntryScope? scope = null, CancellationToken cancellationToken = default);

    /// <summary>Lists one page of tasks, newest first, without their results.</summary>
    /// <exception cref="ArgumentException">A condition is not valid. The message names the condition, its value and what is
    /// allowed.</exception>
    ValueTask<TaskPage> ListTasksAsync(TaskQuery query, CancellationToken cancellationToken = default);

    /// <summary>Lists one page of jobs, ordered by name, without their arguments: <see cref="Job.Args"/> is empty.</summary>
    /// <remarks>A page ends when it is full or, with <see cref="JobQuery.NameContains"/>, when <see cref="JobQuery.MaxExamined"/> names
    /// were compared. Use <see cref="JobPage.NextAfter"/> to look further.</remarks>
    /// <exception cref="ArgumentException">A condition is not valid. The message names the condition, its value and what is
    /// allowed.</exception>
    ValueTask<JobPage> ListJobsAsync(JobQuery query, CancellationToken cancellationToken = default);

    /// <summary>Finds jobs by their ids, in any order, without their arguments. Jobs that do not exist are skipped.</summary>
    /// <exception cref="ArgumentException">There are more than 1,000 ids.</exception>
    ValueTask<IReadOnlyList<Job>> FindJobsAsync(IReadOnlyCollection<Guid> jobIds, CancellationToken cancellationToken = default);

    /// <summary>Lists the last tasks of each of some jobs, newest first within a job, without their results and errors.</summary>
    /// <exception cref="ArgumentException">There are too many jobs, or the limit is not valid. The message says what is
    /// allowed.</exception>
    ValueTask<IReadOnlyList<TaskRecord>> ListLastTasksAsync(LastTasksQuery query, CancellationToken cancellationToken = default);
}
