using System.Text.Json;
using Npgsql;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>The rows that the scans of a statement returned or dropped, as the server counted them.</summary>
internal static class ScannedRows
{
    /// <param name="connection">The connection.</param>
    /// <param name="statement">The statement.</param>
    /// <param name="args">Its parameters.</param>
    /// <param name="withParts">Whether to count the rows of its own parts (<c>with</c>) as those of tables.</param>
    public static async Task<long> CountAsync(
        NpgsqlConnection connection, string statement, NpgsqlParameter[] args, bool withParts = false)
    {
        await using var command = new NpgsqlCommand($"explain (analyze, costs off, timing off, format json) {statement}", connection);
        command.Parameters.AddRange(args);
        using var plan = JsonDocument.Parse((string)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!);
        return Of(plan.RootElement[0].GetProperty("Plan"), withParts);
    }

    private static long Of(JsonElement node, bool withParts)
    {
        var rows = 0.0;
        if (node.GetProperty("Node Type").GetString()!.Contains("Scan", StringComparison.Ordinal)
            && (node.TryGetProperty("Relation Name", out _) || (withParts && node.TryGetProperty("CTE Name", out _))))
        {
            var one = node.GetProperty("Actual Rows").GetDouble()
                + (node.TryGetProperty("Rows Removed by Filter", out var filtered) ? filtered.GetDouble() : 0)
                + (node.TryGetProperty("Rows Removed by Index Recheck", out var rechecked) ? rechecked.GetDouble() : 0);
            rows = one * node.GetProperty("Actual Loops").GetDouble();
        }

        return (long)rows
            + (node.TryGetProperty("Plans", out var children) ? children.EnumerateArray().Sum(child => Of(child, withParts)) : 0);
    }
}
