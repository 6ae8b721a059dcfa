namespace TaskRecovery.PostgreSql;

/// <summary>Statements on <c>kinds</c> and <c>queues</c>, which assign to names the small numbers that rows store.</summary>
internal static class NameSql
{
    /// <summary>The numbers of names. $1 kinds, $2 queues.</summary>
    /// <returns>Number, name, and whether it is a kind.</returns>
    internal const string Find = """
        select k.id::integer, k.name, true from {schema}.kinds k where k.name = any($1)
        union all
        select q.id, q.name, false from {schema}.queues q where q.name = any($2)
        """;

    /// <summary>Registers names. $1 kinds, $2 queues. Names that are registered already keep their numbers, and no number is drawn for
    /// them.</summary>
    internal const string Add = """
        with added as (
            insert into {schema}.kinds (name)
            select n.name from unnest($1::text[]) n(name)
                where not exists (select from {schema}.kinds k where k.name = n.name) order by n.name
            on conflict (name) do nothing
        )
        insert into {schema}.queues (name)
        select n.name from unnest($2::text[]) n(name) where not exists (select from {schema}.queues q where q.name = n.name) order by n.name
        on conflict (name) do nothing
        """;

    /// <summary>Registers kinds under the lowest numbers that no kind has, those above 0 first; used once the sequence has no more. $1
    /// kinds. Returns how many were to be registered, and how many were: another process may take the same numbers at the same
    /// moment.</summary>
    internal const string AddToFreeNumbers = """
        with wanted as materialized (
            select n.name, row_number() over (order by n.name) as place
            from unnest($1::text[]) n(name) where not exists (select from {schema}.kinds k where k.name = n.name)
        ), free as (
            select f.id, row_number() over (order by f.id < 0, f.id) as place
            from generate_series(-32768, 32767) f(id) where f.id <> 0 and not exists (select from {schema}.kinds k where k.id = f.id)
            order by f.id < 0, f.id limit (select count(*) from wanted)
        ), added as (
            insert into {schema}.kinds (id, name) overriding system value
            select f.id, w.name from wanted w join free f on f.place = w.place
            on conflict do nothing
            returning id
        )
        select (select count(*) from wanted), (select count(*) from added)
        """;

    /// <summary>How many of the given queues and kinds (numbers and names, in the same order) match the tables.</summary>
    internal static string Count(string queueNumbers, string queueNames, string kindNumbers, string kindNames)
        => CountOf("=", queueNumbers, queueNames, kindNumbers, kindNames);

    /// <summary>How many of the given numbers belong to other names, according to the tables. A number that is not there does not
    /// count.</summary>
    internal static string CountOthers(string queueNumbers, string queueNames, string kindNumbers, string kindNames)
        => CountOf("<>", queueNumbers, queueNames, kindNumbers, kindNames);

    private static string CountOf(string comparison, string queueNumbers, string queueNames, string kindNumbers, string kindNames) => $$"""
        (select count(*) from unnest({{queueNumbers}}, {{queueNames}}) n (id, name) cross join lateral (
                select from {schema}.queues q where q.id = n.id and q.name {{comparison}} n.name offset 0) q)
            + (select count(*) from unnest({{kindNumbers}}, {{kindNames}}) n (id, name) cross join lateral (
                select from {schema}.kinds k where k.id = n.id and k.name {{comparison}} n.name offset 0) k)
        """;
}
