using System.Text.RegularExpressions;
using Npgsql;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>How the server runs statements of the store.</summary>
/// <param name="lines">What <c>explain</c> answered.</param>
/// <param name="indexes">The table and the first column of each index.</param>
internal sealed partial class QueryPlan(List<string> lines, Dictionary<string, (string Table, string Column)> indexes)
{
    // The cancellations are few, and go.
    private static readonly string[] Large =
    [
        "entries", "waiting", "claims", "heartbeats", "outcomes", "jobs", "tasks", "unique_keys", "steps", "checkpoints", "reports",
        "run_logs",
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public IReadOnlyList<string> Lines => lines;

    /// <summary>Prepares a statement, and reads the plan that does not depend on its values.</summary>
    public static async Task<QueryPlan> OfAsync(NpgsqlConnection connection, PostgreSqlDatabase database, PlannedStatement statement)
    {
        var (types, nulls) = statement.Types.Length == 0
            ? ("", "")
            : ($" ({statement.Types})", $" ({string.Join(", ", statement.Types.Split(", ").Select(static _ => "null"))})");
        await RunAsync(connection, $"prepare {statement.Name}{types} as {database.Sql(statement.Text)}");
        var lines = await ExplainAsync(connection, $"execute {statement.Name}{nulls}");
        return new QueryPlan(lines, await ReadIndexesAsync(connection));
    }

    /// <summary>As <see cref="OfAsync"/>, for a statement that must not read all of a table.</summary>
    /// <returns>The lines of the plan.</returns>
    public static async Task<IReadOnlyList<string>> OfLookUpAsync(
        NpgsqlConnection connection, PostgreSqlDatabase database, PlannedStatement statement)
    {
        var plan = await OfAsync(connection, database, statement);
        Assert.False(plan.ReadsAllBut(statement.MayScan), $"{statement.Name} scans a whole table:\n{plan}");
        return plan.Lines;
    }

    /// <summary>The lines of a plan.</summary>
    public static async Task<List<string>> ExplainAsync(NpgsqlConnection connection, string statement)
    {
        await using var command = new NpgsqlCommand($"explain {statement}", connection);
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        var plan = new List<string>();
        while (await reader.ReadAsync(Cancellation))
        {
            plan.Add(reader.GetString(0));
        }

        return plan;
    }

    public static async Task RunAsync(NpgsqlConnection connection, string statement)
    {
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    /// <summary>Whether the plan reads all of a table that grows.</summary>
    /// <param name="table">The table that it may read.</param>
    public bool ReadsAllBut(string? table)
        => Enumerable.Range(0, lines.Count).Any(line => AllOf(line) is { } read && read != table && Large.Contains(read));

    /// <inheritdoc/>
    public override string ToString() => string.Join('\n', lines);

    // The table of which a line of the plan reads all. An index is read as a whole if no condition is about its first column, even if one
    // is about another column, except that its first row needs no condition.
    private string? AllOf(int line)
    {
        if (SequentialScan().Match(lines[line]) is { Success: true } scan)
        {
            return scan.Groups["table"].Value;
        }

        if (IndexScan().Match(lines[line]) is not { Success: true } walk
            || !indexes.TryGetValue(walk.Groups["index"].Value, out var index))
        {
            return null;
        }

        var condition = line + 1 < lines.Count ? lines[line + 1].TrimStart() : "";
        var hasCondition = condition.StartsWith("Index Cond: ", StringComparison.Ordinal)
            && Regex.IsMatch(condition, $@"\((ROW\()?\(*{index.Column}\b", RegexOptions.ExplicitCapture);
        var isFirst = line > 0 && lines[line - 1].TrimStart(' ', '-', '>').StartsWith("Limit", StringComparison.Ordinal);
        return hasCondition || isFirst ? null : index.Table;
    }

    private static async Task<Dictionary<string, (string Table, string Column)>> ReadIndexesAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand(
            """
            select i.relname::text, t.relname::text, a.attname::text
            from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid
                join pg_attribute a on a.attrelid = x.indrelid and a.attnum = x.indkey[0]
            where i.relnamespace = 'taskrecovery'::regnamespace
            """,
            connection);
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        var indexes = new Dictionary<string, (string Table, string Column)>(StringComparer.Ordinal);
        while (await reader.ReadAsync(Cancellation))
        {
            indexes.Add(reader.GetString(0), (reader.GetString(1), reader.GetString(2)));
        }

        return indexes;
    }

    [GeneratedRegex(@"Seq Scan on (?<table>\w+)", RegexOptions.ExplicitCapture)]
    private static partial Regex SequentialScan();

    [GeneratedRegex(@"(Index (Only )?Scan( Backward)? using|Bitmap Index Scan on) (?<index>\w+)", RegexOptions.ExplicitCapture)]
    private static partial Regex IndexScan();
}
