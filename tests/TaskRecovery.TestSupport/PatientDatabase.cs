using System.Reflection;

namespace TaskRecovery.TestSupport;

/// <summary>Longer limits of the library's PostgreSQL store, for tests that open it as a program does: a machine may stand still.</summary>
/// <remarks>By reflection. The library's assemblies share source files, and a project that saw the internal types of two of them would see
/// some types twice.</remarks>
public static class PatientDatabase
{
    private static readonly Type Database =
        Type.GetType("TaskRecovery.PostgreSql.PostgreSqlDatabase, TaskRecovery.PostgreSql", throwOnError: true)!;

    /// <summary>Gives the statements of the read model and of a node's session two minutes instead of 1 s to 3 s, in all databases that
    /// this process opens from now on.</summary>
    public static void Begin()
    {
        Set("LongestReadByDefault", null, TimeSpan.FromMinutes(2));
        Set("SessionSecondsByDefault", null, 120);
    }

    /// <summary>Lets a host's store probe no connection that was unused for a while, which takes a statement.</summary>
    public static void ProbeNothing(IServiceProvider services)
    {
        ArgumentNullException.ThrowIfNull(services);
        Set("Silence", services.GetService(Database), TimeSpan.FromDays(1));
    }

    private static void Set(string property, object? database, object value)
    {
        var found = Database.GetProperty(property, BindingFlags.Static | BindingFlags.Instance | BindingFlags.NonPublic)
            ?? throw new MissingMemberException(Database.FullName, property);
        found.SetValue(database, value);
    }
}
