using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Statements on <c>reports</c> and <c>run_logs</c>.</summary>
internal static class RunInfoSql
{
    /// <summary>Stores the progress of a run if the node holds the claim. $1 node, $2 entry, $3 fence, $4 done, $5 total, or null, $6
    /// message, or null.</summary>
    /// <remarks>Locks the claim, as a step does: a sweep or an erasure has either taken the entry out of it, or sees the report. The form
    /// of the condition for the node fits no index, so that the claim is found by its id.</remarks>
    internal const string Report = """
        with held as materialized (
            select c.id from {schema}.claims c
            where c.id = $3::bigint and (c.node = (select n.number from {schema}.nodes n where n.id = $1::uuid)) is true
                and (not c.partly or $2::bigint = any (c.entries))
            for share
        )
        insert into {schema}.reports as r (entry, fence, done, total, message)
        select $2::bigint, $3::bigint, $4::bigint, $5::bigint, $6::text from held
        on conflict (entry) do update
            set fence = excluded.fence, done = excluded.done, total = excluded.total, message = excluded.message,
                reported_at = clock_timestamp()
            where r.fence <= excluded.fence
        """;

    /// <summary>Stores parts of logs. Arrays: $1 entries, $2 fences, $3 parts, $4 lines.</summary>
    /// <remarks>Sent after <see cref="OutcomeSql.LockEntries"/> in the same transaction: an erasure has either been committed before this
    /// statement's snapshot, or sees the lines. The claim may be gone by now.</remarks>
    internal const string Append = $$"""
        insert into {schema}.run_logs (entry, fence, part, lines)
        select g.entry, g.fence, g.part, g.lines from unnest($1, $2, $3, $4) g (entry, fence, part, lines)
        where (select e.id from {schema}.entries e where e.id = g.entry) is not null
            and (select o.reason from {schema}.outcomes o where o.entry = g.entry and o.final limit 1) is distinct from {{Codes.Erased}}
        order by 1, 2, 3
        on conflict do nothing
        """;
}
