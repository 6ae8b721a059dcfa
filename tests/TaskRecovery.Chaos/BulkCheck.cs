namespace TaskRecovery.Chaos;

/// <summary>What bulk operations have done, whoever continued them.</summary>
internal static class BulkCheck
{
    /// <summary>Returns the promises that were broken.</summary>
    public static async Task<IReadOnlyList<string>> FindBrokenAsync(ChaosStore store)
    {
        var (operations, entries) = ($"{store.Prefix}operations", $"{store.Prefix}operation_entries");
        var broken = new List<string>();
        await AddAsync(
            $"select o.id, o.state, o.done, o.refused from {operations} o where o.state = 1",
            row => $"operation {row[0]} still runs although nothing harms it any more");
        await AddAsync(
            $"select o.id, o.done, o.refused from {operations} o where o.state > 1 and o.done + o.refused <> (select count(*) "
            + $"from {entries} e where e.operation = o.id)",
            row => $"operation {row[0]} counts {row[1]} changed and {row[2]} refused entries, and has another number of results");
        await AddAsync(
            $"select u.id, u.done, u.refused, o.id, o.done from {operations} u join {operations} o on o.id = u.undoes "
            + "where u.done <> o.done or u.refused > 0",
            row => $"operation {row[0]} reversed {row[1]} entries and refused {row[2]}; operation {row[3]} had changed {row[4]}");
        await AddAsync(
            $"select e.entry, count(distinct e.run_at) from {entries} e where e.run_at is not null "
            + "group by e.entry having count(distinct e.run_at) > 1",
            row => $"entry {row[0]} was cancelled at {row[1]} different due times: an undo did not restore the old one");
        return broken;

        async Task AddAsync(string statement, Func<object?[], string> describe)
            => broken.AddRange((await store.QueryAsync(statement)).Select(row => "bulk: " + describe([.. row])));
    }
}
