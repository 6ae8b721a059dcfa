namespace TaskRecovery.PostgreSql;

/// <summary>Statements that list jobs by name, in the order of the names' bytes.</summary>
internal static class JobListSql
{
    // One condition for the first page and for the others, so that a statement that is planned once uses the index for both.
    private const string After = """
        j.name collate "C" >= coalesce($1::text, '') and j.name is distinct from $1::text
        """;

    /// <summary>A page of jobs. $1 only names after this one, or null, $2 how many at most.</summary>
    internal static readonly string List = ListOf(JobSql.Columns);

    /// <summary>As <see cref="List"/>, without arguments.</summary>
    internal static readonly string ListWithoutArgs = ListOf(JobSql.ColumnsWithoutArgs);

    /// <summary>A page of jobs whose names contain a text, without arguments. $1 only names after this one, or null, $2 how many at most,
    /// $3 the text, $4 how many names to compare at most.</summary>
    internal static readonly string Search = $$"""
        select {{JobSql.ColumnsWithoutArgs}}
        from (
            select j.*, j.name collate "C" as sort_name from {schema}.jobs j where {{After}} order by sort_name limit $4::bigint) j
        where strpos(lower(j.name collate "C"), lower($3::text collate "C")) > 0
        order by j.sort_name
        limit $2::bigint
        """;

    /// <summary>The last name that such a search compares if it is not full earlier; nothing if it reaches the last job. $1 only names
    /// after this one, or null, $2 how many names to compare at most.</summary>
    internal const string Edge = $$"""
        select j.name from {schema}.jobs j where {{After}} order by j.name collate "C" offset $2::bigint - 1 limit 1
        """;

    /// <summary>Jobs by id, without arguments. $1 ids.</summary>
    internal static readonly string FindMany = $"select {JobSql.ColumnsWithoutArgs} from {{schema}}.jobs j where j.id = any ($1)";

    private static string ListOf(string columns) => $$"""
        select {{columns}} from {schema}.jobs j where {{After}} order by j.name collate "C" limit $2::bigint
        """;
}
