using Npgsql;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>How the server runs a statement.</summary>
internal static class QueryPlan
{
    // The cancellations are few, and go.
    private static readonly string[] Large =
        ["entries", "waiting", "claims", "outcomes", "jobs", "tasks", "unique_keys", "steps", "checkpoints"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Prepares a statement of the store, and reads the plan that does not depend on its values.</summary>
    public static async Task<List<string>> OfAsync(NpgsqlConnection connection, PostgreSqlDatabase database, PlannedStatement statement)
    {
        var nulls = string.Join(", ", statement.Types.Split(", ").Select(static _ => "null"));
        await RunAsync(connection, $"prepare {statement.Name} ({statement.Types}) as {database.Sql(statement.Text)}");
        return await ExplainAsync(connection, $"execute {statement.Name} ({nulls})");
    }

    /// <summary>As <see cref="OfAsync"/>, for a statement that must not read all of a table.</summary>
    public static async Task<List<string>> OfLookUpAsync(
        NpgsqlConnection connection, PostgreSqlDatabase database, PlannedStatement statement)
    {
        var plan = await OfAsync(connection, database, statement);
        Assert.False(ReadsAll(plan, statement.MayScan), $"{statement.Name} scans a whole table:\n{string.Join('\n', plan)}");
        return plan;
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

    /// <summary>Whether a plan reads all of a table that grows.</summary>
    /// <param name="plan">Its lines.</param>
    /// <param name="but">The table that it may read.</param>
    public static bool ReadsAll(List<string> plan, string? but)
        => Enumerable.Range(0, plan.Count).Any(line => Array.Exists(
            Large, table => table != but && plan[line].Contains($" on {table} ", StringComparison.Ordinal) && IsFullScan(plan, line)));

    // A scan without an index condition is a scan of the whole, but the first row of an index needs no condition.
    private static bool IsFullScan(List<string> plan, int line)
        => plan[line].Contains("Seq Scan on ", StringComparison.Ordinal)
            || (plan[line].Contains("Index", StringComparison.Ordinal)
                && !(line + 1 < plan.Count && plan[line + 1].Contains("Index Cond", StringComparison.Ordinal))
                && !(line > 0 && plan[line - 1].TrimStart(' ', '-', '>').StartsWith("Limit", StringComparison.Ordinal)));
}
