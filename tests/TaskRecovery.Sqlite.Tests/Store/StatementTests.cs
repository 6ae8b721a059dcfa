using System.Reflection;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>The statements fit the tables, and the hot ones walk over nothing.</summary>
public sealed class StatementTests : IDisposable
{
    private readonly TemporaryDatabase _files = new();

    public static TheoryData<string> Hot => new(
        WaitingSql.NextKind, WaitingSql.NextLevel, WaitingSql.Due,
        WaitingSql.FirstLater, WaitingSql.CountDue, WaitingSql.Take, WaitingSql.PutBack,
        EntrySql.Payload, EntrySql.KindAndKey, EntrySql.FindKeyHolder, EntrySql.FreeKey, EntrySql.IsCancelRequested,
        ClaimSql.IsHeldBy, ClaimSql.OfNode, ClaimSql.ContentsOfNode, ClaimSql.Contents, ClaimSql.Delete,
        OutcomeSql.Find, OutcomeSql.FindFinal, OutcomeSql.Exists,
        NodeSql.FindAlive, NodeSql.Heartbeat, TaskSql.EndByEntry, TaskSql.ReturnByEntry, TaskSql.AnyUnfinished, TaskSql.ExistsForDue,
        ProgressSql.StepsOfTask, ProgressSql.StepsOfEntry, ProgressSql.StoredUnder, ListSql.Find, RetentionSql.Walk);

    [Fact]
    public async Task Every_statement_can_be_prepared()
    {
        var database = await GivenTablesAsync();
        var statements = typeof(EntrySql).Assembly.GetTypes()
            .Where(type => type.Name.EndsWith("Sql", StringComparison.Ordinal) && type is { IsAbstract: true, IsSealed: true })
            .SelectMany(type => type.GetFields(BindingFlags.Public | BindingFlags.Static).Where(field => field.IsLiteral))
            .Select(field => (Name: $"{field.DeclaringType!.Name}.{field.Name}", Text: (string)field.GetRawConstantValue()!))
            .Where(statement => statement.Text != MigrationSql.CreateTable)
            .ToArray();

        var broken = await database.WriteAsync(session => statements.Where(
            statement => !CanPrepare(session, statement.Text)).Select(statement => statement.Name).ToArray(), CancellationToken.None);

        Assert.True(statements.Length > 80);
        Assert.Empty(broken);
    }

    [Theory]
    [MemberData(nameof(Hot))]
    public async Task A_hot_statement_walks_over_no_table(string text)
    {
        var database = await GivenTablesAsync();

        var plan = await database.WriteAsync(session => session.PlanOf(text), CancellationToken.None);

        Assert.DoesNotContain(plan, step => step.StartsWith("SCAN", StringComparison.Ordinal)
            && !step.StartsWith("SCAN (", StringComparison.Ordinal) && !step.Contains("CONSTANT ROW", StringComparison.Ordinal));
        Assert.DoesNotContain(plan, step => step.Contains("TEMP B-TREE FOR DISTINCT", StringComparison.Ordinal));
    }

    // A checkpoint may have hundreds of megabytes, and an open page asks for the life every two seconds.
    [Fact]
    public void The_life_of_an_entry_reads_no_checkpoint() => Assert.DoesNotContain(
        "data", MonitorSql.Checkpoint.Replace("octet_length(data)", "", StringComparison.Ordinal), StringComparison.Ordinal);

    public void Dispose() => _files.Dispose();

    private static bool CanPrepare(SqliteSession session, string text)
    {
        try
        {
            using var statement = session.Prepare(text);
            return true;
        }
        catch (Microsoft.Data.Sqlite.SqliteException)
        {
            return false;
        }
    }

    private async Task<SqliteDatabase> GivenTablesAsync()
    {
        var database = _files.Open();
        await new SqliteMigrator(database).MigrateAsync();
        return database;
    }
}
