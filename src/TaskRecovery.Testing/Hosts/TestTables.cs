using TaskRecovery.Sqlite;

namespace TaskRecovery.Testing.Hosts;

/// <summary>The tables of the test's database.</summary>
internal sealed class TestTables(SqliteDatabase database)
{
    private const string All = """
        select name from sqlite_master
        where type = 'table' and name like 'taskrecovery!_%' escape '!' and name <> 'taskrecovery_migrations'
        """;

    /// <summary>Removes all rows. Ids are not given again, so that what a run of an earlier test stores late finds no entry.</summary>
    public async Task EmptyAsync(CancellationToken cancellationToken)
        => await database.WriteAsync(Empty, cancellationToken).ConfigureAwait(false);

    private int Empty(SqliteSession session)
    {
        var names = new List<string>();
        var statement = session.Get(All);
        while (statement.Step())
        {
            names.Add(statement.Text(0));
        }

        // The tables refer to each other, which is checked when all are empty.
        session.Execute("pragma defer_foreign_keys = on");
        foreach (var name in names)
        {
            session.Execute($"delete from {name}");
        }

        session.AfterCommit(() =>
        {
            database.Names.Clear();
            database.Claims.Clear();
        });
        return names.Count;
    }
}
