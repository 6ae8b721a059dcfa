namespace TaskRecovery.PostgreSql;

/// <summary>Statements on <c>kinds</c> and <c>queues</c>, where names get the small numbers that rows carry.</summary>
internal static class NameSql
{
    /// <summary>The numbers of kinds. $1 names.</summary>
    internal const string FindKinds = "select id::integer, name from {schema}.kinds where name = any($1)";

    /// <summary>Gives kinds a number. $1 names. Those that are there keep theirs; the number is drawn only for those that are not.</summary>
    internal const string AddKinds = """
        insert into {schema}.kinds (name)
        select n.name from unnest($1::text[]) n(name) where not exists (select from {schema}.kinds k where k.name = n.name) order by n.name
        on conflict (name) do nothing
        """;

    /// <summary>The numbers of queues. $1 names.</summary>
    internal const string FindQueues = "select id, name from {schema}.queues where name = any($1)";

    /// <summary>Gives queues a number. $1 names.</summary>
    internal const string AddQueues = """
        insert into {schema}.queues (name)
        select n.name from unnest($1::text[]) n(name) where not exists (select from {schema}.queues q where q.name = n.name) order by n.name
        on conflict (name) do nothing
        """;
}
