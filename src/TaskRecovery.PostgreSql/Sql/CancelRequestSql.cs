using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Statements that end waiting entries whose cancellation was requested before.</summary>
/// <remarks>A cancellation stores its request and then ends the entry if it waits; a transaction that puts an entry back ends it if it has
/// a request. If both run at once, it can happen that neither sees the other, because a sweep does not lock each entry, as
/// <see cref="OutcomeSql.LockEntries"/> does. A node that claims the entry finds the request. But nothing claims from a paused queue, so
/// the next sweep ends the entry.</remarks>
internal static class CancelRequestSql
{
    /// <summary>Waiting entries with a request, at most 1,000.</summary>
    internal const string FindWaiting = $$"""
        select e.id from {schema}.cancellations x
        cross join lateral (select * from {schema}.entries e where e.id = x.entry offset 0) e
        cross join {{OperatorSql.Place}}
        limit 1000
        """;

    /// <summary>Locks entries as <see cref="OperatorSql.LockEntries"/> does, but skips those that another transaction has locked. $1 ids.
    /// Returns the locked ones.</summary>
    internal const string TryLockEntries =
        "select e.id from {schema}.entries e where e.id = any($1) order by e.id for no key update skip locked";

    /// <summary>The entries that have a request. $1 ids, locked.</summary>
    internal const string Find = "select x.entry from {schema}.cancellations x where x.entry = any($1)";

    /// <summary>Stores, for the bulk operations that requested the cancellations, under which fences the entries have ended: an undo finds
    /// the outcomes by them. $1 ids, locked, $2 the fences of their outcomes.</summary>
    internal static readonly string SetFences = $$"""
        update {schema}.operation_entries p set fence = ($2::bigint[])[array_position($1::bigint[], p.entry)]
        where p.entry = any ($1::bigint[]) and p.run_at is null and p.result = {{Codes.ResultDone}}
            and p.fence is not null and p.fence <> {{Codes.FenceOfOther}}
            and (select o.action from {schema}.operations o where o.id = p.operation) = {{Codes.BulkCancel}}
            and (select o.entry from {schema}.outcomes o
                where o.entry = p.entry and o.fence >= p.fence and o.fence <> ($2::bigint[])[array_position($1::bigint[], p.entry)]
                    and o.kind in {{Codes.KindsThat(OutcomeRules.Ends)}} limit 1) is null
        """;
}
