namespace TaskRecovery.PostgreSql;

/// <summary>Statements that list jobs by name, in the order of the names' bytes.</summary>
internal static class JobListSql
{
    // One condition for the first page and for the others, so that a statement that is planned once uses the index for both.
    private const string After = """
        j.name collate "C" >= coalesce($1::text, '') and j.name is distinct from $1::text
        """;

    /// <summary>A page of jobs. $1 only names after this one, or null, $2 how many at most.</summary>
    internal static readonly string List = $$"""
        select {{JobSql.Columns}} from {schema}.jobs j where {{After}} order by j.name collate "C" limit $2::bigint
        """;
}
