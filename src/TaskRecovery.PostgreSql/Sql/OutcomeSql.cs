using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Statements that end runs.</summary>
/// <remarks>Common parameters: $1 node, $2 entries, $3 their fences, $4 outcome kinds, $5 durations in ms, $6 results, $7 errors, $8
/// reasons, $9 delays, $10 whether to check that each entry is in its claim (reading a claim's list costs more than all the rest). A claim
/// that entries were taken out of is always checked: an entry that was erased, and then removed, gets no outcome. If no outcome has a value
/// for a column, its array may be empty. Each entry may occur only once. All effects of an outcome are derived from the rows that its
/// insert returned: the key (entry, fence) decides between a finish and a sweep.</remarks>
internal static class OutcomeSql
{
    private const string Claims = """
        held as materialized (
            select c.id, c.node, c.entries, c.partly, c.again, c.again_attempts, c.again_crashes from {schema}.claims c
            where c.id = any ($3) and c.node = (select n.number from {schema}.nodes n where n.id = $1)
        """;

    private const string Given = """
        ), given as (
            select g.entry, g.fence, g.kind, g.duration_ms, g.result, g.error, g.reason, g.delay, h.node,
                coalesce(h.again_attempts[array_position(h.again, g.entry)], 0::smallint) as attempt,
                coalesce(h.again_crashes[array_position(h.again, g.entry)], 0::smallint) as crashes
            from unnest($2, $3, $4, $5, $6, $7, $8, $9) g (entry, fence, kind, duration_ms, result, error, reason, delay)
            join held h on h.id = g.fence and (not $10 and not h.partly or g.entry = any (h.entries))
        )
        """;

    // A sweep skips the claim while this lock is held, which is as long as the statement runs.
    private const string Held = "with clock as materialized (select clock_timestamp() as now), "
        + Claims + " order by c.id for share " + Given;

    // A caller's transaction may last arbitrarily long. It locks its own entry, and the claim only so weakly that a sweep can still take
    // the other entries of the claim.
    private const string HeldByCaller = """
        with own as materialized (
            select e.id from {schema}.entries e where e.id = any ($2) order by e.id for key share
        ), clock as materialized (select clock_timestamp() as now),
        """ + " " + Claims + " and exists (select from own) order by c.id for key share " + Given;

    // The job that the arguments of entry e name.
    private const string JobOfArgs =
        "substring(e.args from '\"jobId\"\\s*:\\s*\"([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\"')::uuid";

    private const string InsertFinal = """

            insert into {schema}.outcomes (entry, fence, ended_at, duration_ms, node, kind, attempt, crashes, final, result, error, reason)
            select g.entry, g.fence, (select c.now from clock c), g.duration_ms, g.node, g.kind, g.attempt + 1, g.crashes, true, g.result,
                g.error, g.reason
            from given g
        """;

    private const string InsertFinalOnce = ", done as (" + InsertFinal + """

            on conflict do nothing
            returning *
        )
        """;

    /// <summary>Releases the unique key of an ended entry, and closes its task.</summary>
    /// <remarks>A task is found by <c>= any (array[...])</c>. With <c>=</c>, a planner that takes the table for an empty one walks all of
    /// its index (docs/decisions/0011-plans-are-not-left-to-statistics.md).</remarks>
    internal static readonly string FollowFinal = $$"""
        , freed as (
            delete from {schema}.unique_keys u where u.entry = any (array(select d.entry from done d where d.final))
        ), closed as (
            update {schema}.tasks t set
                state = {{Codes.TaskStateOf("d.kind")}},
                attempt = d.attempt, crashes = d.crashes, result = d.result, error = d.error, reason = d.reason, ended_at = d.ended_at
            from done d
            where d.final and d.kind <> {{Codes.OutcomeSuperseded}} and t.entry_id = any (array[d.entry]) and {{Codes.TaskUnfinished}}
        )
        """;

    /// <summary>Ends entries that hold no unique key and run no task. If any of the outcomes is stored already, the whole statement fails:
    /// skipping existing outcomes would cost a look-up before each insert, and a seventh of the log.</summary>
    /// <returns>How many outcomes were stored.</returns>
    internal const string End = Held + ", done as (" + InsertFinal + " returning entry) select count(*) from done";

    /// <summary>As <see cref="End"/>, but skips outcomes that are stored already.</summary>
    internal const string EndOnce = Held + InsertFinalOnce + " select count(*) from done";

    /// <summary>Ends entries, releases their unique keys and closes their tasks. As with <see cref="End"/>, the whole statement fails if
    /// any of the outcomes is stored already.</summary>
    /// <returns>How many outcomes were stored.</returns>
    internal static readonly string EndAndFollow = Held + ", done as (" + InsertFinal + " returning *)" + FollowFinal
        + " select count(*) from done";

    /// <summary>As <see cref="EndAndFollow"/>, but skips outcomes that are stored already.</summary>
    internal static readonly string EndAndFollowOnce = Held + InsertFinalOnce + FollowFinal + " select count(*) from done";

    /// <summary>Ends one entry inside the caller's transaction. If the claim is lost, the statement fails, and with it the
    /// transaction.</summary>
    internal static readonly string EndInTransaction = HeldByCaller + InsertFinalOnce + FollowFinal + """
         select case when not exists (select from done) then {schema}.fail_lost_claim(($2)[1], ($3)[1]) end
        """;

    /// <summary>The entries that no caller's transaction is about to end, and those that do not exist. $1 entries.</summary>
    internal const string NotBlocked = """
        with free as materialized (
            select e.id from {schema}.entries e where e.id = any ($1) for update skip locked
        )
        select f.id from free f
        union all
        select i.id from unnest($1) i (id) where (select e.id from {schema}.entries e where e.id = i.id) is null
        """;

    /// <summary>Sent before <see cref="PutBack"/> in the same transaction: either <see cref="PutBack"/> sees a cancel request, or the
    /// cancellation finds the entry waiting. $1 entries.</summary>
    internal const string LockEntries =
        "select count(*) from (select e.id from {schema}.entries e where e.id = any ($1) order by e.id for share) e";

    /// <summary>Sent before the outcomes of runs whose start was not answered, in the same transaction: waits for the starts that are under
    /// way, so that the outcomes see their tasks. A start that comes later sees the outcome. $1 entries.</summary>
    /// <remarks>A start and an outcome lock the claim in modes that do not exclude each other: a stronger lock would let all outcomes of a
    /// claim wait for all of its starts.</remarks>
    internal const string LockJobs = $$"""
        select count(*) from (
            select j.id from {schema}.jobs j
            where j.id = any (array(
                select {{JobOfArgs}} from {schema}.entries e where e.id = any ($1)))
            order by j.id for share) j
        """;

    /// <summary>The runs for which <see cref="LockJobs"/> would wait at this moment, and their jobs. $1 entries.</summary>
    internal const string WithLockedJobs = $$"""
        with named as materialized (
            select e.id, {{JobOfArgs}} as job from {schema}.entries e where e.id = any ($1)
        ), free as materialized (
            select j.id from {schema}.jobs j where j.id = any (array(select n.job from named n)) for share skip locked
        )
        select n.id, n.job from named n
        where n.job not in (select f.id from free f) and (select j.id from {schema}.jobs j where j.id = n.job) is not null
        """;

    /// <summary>The entries whose unfinished task another transaction has locked at this moment. The others are locked until the end of the
    /// transaction. $1 entries.</summary>
    internal const string WithLockedTasks = $$"""
        with free as materialized (
            select t.entry_id from {schema}.tasks t
            where t.entry_id = any ($1) and {{Codes.TaskUnfinished}} for no key update skip locked
        )
        select t.entry_id from {schema}.tasks t
        where t.entry_id = any ($1) and {{Codes.TaskUnfinished}} and t.entry_id not in (select f.entry_id from free f)
        """;

    /// <summary>Waits for a job as <see cref="LockJobs"/> does. Sent as the only lock of its transaction, with a limit: the starts of a
    /// busy job lock it in turn, so that <see cref="WithLockedJobs"/> hardly ever finds it free. $1 job.</summary>
    internal const string WaitForJob = "select j.id from {schema}.jobs j where j.id = $1::uuid for share";

    /// <summary>Whether a run of an entry has begun, or an operator has put the entry back. Such an entry does not expire.</summary>
    /// <remarks>A subquery for a value, because the planner may turn <c>exists</c> into a join that reads all outcomes.</remarks>
    /// <param name="entry">The column with the entry's id.</param>
    internal static string HasStarted(string entry)
        => $"((select o.entry from {{schema}}.outcomes o where o.entry = {entry} and (o.kind <> {Codes.OutcomeReleased} "
            + $"or o.reason is distinct from {Codes.NotStarted}) limit 1) is not null)";

    /// <summary>Whether the newest of some outcomes of an entry has put it back because its job was paused.</summary>
    /// <param name="outcomes">The condition for the outcomes <c>o</c>.</param>
    internal static string WasPutBackForPause(string outcomes)
        => $"((select o.kind = {Codes.OutcomeSnoozed} and o.reason = {Codes.JobNotActive} from {{schema}}.outcomes o where {outcomes} "
            + "order by o.fence desc limit 1) is true)";

    /// <summary>How long a run has lasted since it was claimed, in milliseconds. The row of a claim may have any time, and before version
    /// 17, PostgreSQL can't subtract an infinite one.</summary>
    internal static string Milliseconds(string claimed, string now)
        => $"greatest(0, least(extract(epoch from {now} - case when isfinite({claimed}) then {claimed} else {now} end) * 1000, "
            + "2147483647))::integer";

    /// <summary>The level of an entry that is put back (<see cref="CrashLevels.Of"/>): from its priority, its crashes, and whether one
    /// crash moves it to the front.</summary>
    internal static string Level(string priority, string crashes, string goesFirst)
        => $"(case when {crashes} >= {CrashLevels.SuspectFrom} or {crashes} = 1 and {goesFirst} then "
            + $"greatest(-{crashes}, {CrashLevels.Lowest}) else {priority} end)::smallint";

    /// <summary>Puts entries back; entries with a cancel request end instead. A run that stopped because of a request that was withdrawn
    /// is stored as released. If another program has added a row of <c>waiting</c> for an entry while it ran, the entry waits already, and
    /// that row stays. If two claims listed an entry and it has ended under the other one, it does not run again.</summary>
    /// <returns>How many outcomes were stored, and the queues that got work.</returns>
    internal static readonly string PutBack = Held + $$"""
        , judged as materialized (
            select g.*, exists (select from {schema}.cancellations x where x.entry = g.entry) as cancelled from given g
        ), done as (
            insert into {schema}.outcomes (entry, fence, ended_at, duration_ms, node, kind, attempt, crashes, final, result, error, reason)
            select g.entry, g.fence, (select c.now from clock c), g.duration_ms, g.node,
                case when g.cancelled then {{Codes.OutcomeCancelled}}
                    when g.kind = {{Codes.OutcomeCancelled}} then {{Codes.OutcomeReleased}} else g.kind end,
                case when g.kind = {{Codes.OutcomeCancelled}} and not g.cancelled then g.attempt
                    when g.kind in {{Codes.KindsThat(OutcomeRules.SpendsAttempt)}} then g.attempt + 1 else g.attempt end,
                g.crashes, g.cancelled, null, g.error,
                case when g.cancelled then {{Codes.CancelRequested}} when g.kind = {{Codes.OutcomeCancelled}} then {{Codes.CancelWithdrawn}}
                    else g.reason end
            from judged g
            on conflict do nothing
            returning *
        ){{FollowFinal}}, back as (
            insert into {schema}.waiting (run_at, id, queue, kind, priority, attempt, crashes)
            select d.ended_at + coalesce(g.delay, interval '0'), d.entry, e.queue, e.kind,
                {{Level("e.priority", "d.crashes", $"d.kind in {Codes.KindsThat(OutcomeRules.GoesFirst)}")}}, d.attempt, d.crashes
            from done d
            cross join lateral (select * from {schema}.entries e where e.id = d.entry offset 0) e
            cross join lateral (select ($9)[array_position($2, d.entry)] as delay) g
            where not d.final and (select o.entry from {schema}.outcomes o where o.entry = d.entry and o.final limit 1) is null
                and {{WaitingSql.WaitsNowhere}}
            on conflict do nothing
            returning queue
        ), reopened as (
            update {schema}.tasks t set state = {{Codes.TaskCreated}}, attempt = d.attempt, crashes = d.crashes,
                error = coalesce(d.error, t.error)
            from done d
            where not d.final and t.entry_id = any (array[d.entry]) and {{Codes.TaskUnfinished}}
        )
        select (select count(*) from done), array(select distinct q.name from back b join {schema}.queues q on q.id = b.queue)
        """;

    /// <summary>The stored outcomes of a node's runs whose outcome was not accepted. $1 entries, $2 fences, $3 node.</summary>
    internal const string Find = $$"""
        select g.entry, g.fence, o.kind, o.reason, {{CommitSql.Confirm}}
        from unnest($1, $2) g (entry, fence)
        cross join lateral (select o.kind, o.reason, o.node from {schema}.outcomes o
            where o.entry = g.entry and o.fence = g.fence offset 0) o
        where o.node = (select n.number from {schema}.nodes n where n.id = $3)
        """;

    /// <summary>The statement without the fence check. Used to verify that the checker of the chaos program detects the resulting
    /// errors.</summary>
    internal static string WithoutFence(string statement) => statement
        .Replace(" join held h on h.id = g.fence", " left join held h on h.id = g.fence", StringComparison.Ordinal)
        .Replace(
            "select g.entry, g.fence, (select", "select g.entry, nextval('{schema:literal}.fences'), (select", StringComparison.Ordinal);
}
