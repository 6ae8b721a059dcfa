using System.Reflection;
using System.Runtime.CompilerServices;

namespace TaskRecovery.Tests.HouseStyle;

/// <summary>The rules that can be read from the built libraries.</summary>
public sealed class AssemblyTests
{
    public static TheoryData<string> Libraries =>
    [
        "TaskRecovery", "TaskRecovery.PostgreSql", "TaskRecovery.Sqlite", "TaskRecovery.Testing", "TaskRecovery.Dashboard",
        "TaskRecovery.OpenTelemetry", "TaskRecovery.EntityFrameworkCore",
    ];

    [Fact]
    public void The_library_knows_no_database_driver()
    {
        var foreign = Assembly.Load("TaskRecovery").GetReferencedAssemblies()
            .Select(reference => reference.Name!)
            .Where(name => name != "Cronos")
            .Where(name => !name.StartsWith("System.", StringComparison.Ordinal)
                && !name.StartsWith("Microsoft.Extensions.", StringComparison.Ordinal));

        Nothing.In(foreign);
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void A_class_that_nothing_derives_from_is_sealed(string library)
    {
        var types = Assembly.Load(library).GetTypes();
        var open = types
            .Where(type => type is { IsClass: true, IsSealed: false, IsAbstract: false } && !IsGenerated(type))
            .Where(type => !types.Any(other => BaseOf(other) == type));

        Nothing.In(open.Select(type => type.FullName));
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Nothing_static_changes(string library)
    {
        var mutable =
            from type in Assembly.Load(library).GetTypes()
            where !IsGenerated(type)
            from field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
            where field is { IsInitOnly: false, IsLiteral: false } && !IsGenerated(field)
            select $"{type.FullName}.{field.Name}";

        Nothing.In(mutable);
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void What_can_be_awaited_can_be_cancelled(string library)
    {
        var deaf =
            from type in Assembly.Load(library).GetExportedTypes()
            from method in type.GetMethods(BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.DeclaredOnly)
            where IsAwaitable(method.ReturnType) && method.Name != nameof(IAsyncDisposable.DisposeAsync) && !method.IsSpecialName
            where !typeof(Delegate).IsAssignableFrom(type) && !Overrides(method)
            where method.GetParameters().LastOrDefault()?.ParameterType != typeof(CancellationToken)
            select $"{type.FullName}.{method.Name}";

        Nothing.In(deaf);
    }

    private static Type? BaseOf(Type type)
        => type.BaseType is { IsGenericType: true } generic ? generic.GetGenericTypeDefinition() : type.BaseType;

    private static bool Overrides(MethodInfo method) => method.GetBaseDefinition().DeclaringType != method.DeclaringType;

    private static bool IsAwaitable(Type type) =>
        type == typeof(Task) || type == typeof(ValueTask)
        || (type.IsGenericType
            && (type.GetGenericTypeDefinition() == typeof(Task<>) || type.GetGenericTypeDefinition() == typeof(ValueTask<>)));

    private static bool IsGenerated(MemberInfo? member) =>
        member is not null
        && (member.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false)
            || member.IsDefined(typeof(System.CodeDom.Compiler.GeneratedCodeAttribute), inherit: false)
            || member.Name.StartsWith('<')
            || IsGenerated(member.DeclaringType));
}
