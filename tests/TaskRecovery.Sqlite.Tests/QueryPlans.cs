namespace TaskRecovery.Sqlite.Tests;

/// <summary>What SQLite would do to answer a statement.</summary>
internal static class QueryPlans
{
    /// <summary>The steps of the plan.</summary>
    public static List<string> PlanOf(this SqliteSession session, string statement)
    {
        using var plan = session.Prepare("explain query plan " + statement);
        var steps = new List<string>();
        while (plan.Step())
        {
            steps.Add(plan.Text(3));
        }

        return steps;
    }
}
