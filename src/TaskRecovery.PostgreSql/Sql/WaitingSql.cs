namespace TaskRecovery.PostgreSql;

/// <summary>Conditions for <c>waiting</c>.</summary>
internal static class WaitingSql
{
    /// <summary>The condition for the rows w that have an index by id; <c>w.id</c> has to be compared too. Not for rows that the same
    /// query deletes or locks.</summary>
    /// <remarks>The second part repeats the first one for the planner's sake. The index by id contains these rows only, so it need not
    /// check the second part, while the index of the order, which ends with the id, has to. Otherwise both cost the same if the planner
    /// takes the table for an empty one, and it may walk all of the order
    /// (docs/decisions/0011-plans-are-not-left-to-statistics.md).</remarks>
    internal const string FoundById = "w.found_by_id and (w.found_by_id or w.id < 0)";

    /// <summary>Whether entry e has no row: the unique index refuses a second one only beside a row that it contains.</summary>
    internal const string WaitsNowhere = $"(select w.id from {OperatorSql.Place} limit 1) is null";
}
