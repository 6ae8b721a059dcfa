using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>What the store did for some work; not a number where it does not count that.</summary>
internal sealed record StatementCost(double Statements, double Milliseconds)
{
    /// <summary>Counts the statements of all who use the database, without those that count.</summary>
    public static async Task<StatementCost> OfAsync(IBenchmarkDatabase database, Func<Task> work)
    {
        await database.CountStatementsAsync(true);
        var own = await MeasureAsync(database, static () => Task.CompletedTask);
        var all = await MeasureAsync(database, work);
        await database.CountStatementsAsync(false);
        return new StatementCost(all.Statements - own.Statements, all.Milliseconds - own.Milliseconds);
    }

    private static async Task<StatementCost> MeasureAsync(IBenchmarkDatabase database, Func<Task> work)
    {
        var (before, timeBefore) = (await database.CostAsync(), await database.StatementTimeAsync());
        await work();
        var (after, timeAfter) = (await database.CostAsync(), await database.StatementTimeAsync());
        return new StatementCost(after.Statements - before.Statements, timeAfter - timeBefore);
    }
}
