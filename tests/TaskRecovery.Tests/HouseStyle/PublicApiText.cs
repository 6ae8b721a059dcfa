using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace TaskRecovery.Tests.HouseStyle;

/// <summary>Writes what an assembly offers as text: types in order, their members in order, one line each.</summary>
internal static class PublicApiText
{
    private const BindingFlags Declared =
        BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    public static string Of(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (var type in assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            text.Append(Declaration(type)).Append('\n');
            foreach (var (_, member) in Members(type).OrderBy(member => member.Name, StringComparer.Ordinal).ThenBy(
                member => member.Text, StringComparer.Ordinal))
            {
                text.Append("    ").Append(member).Append('\n');
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    private static string Declaration(Type type)
    {
        var experimental = type.GetCustomAttributesData().Any(data => data.AttributeType.Name == "ExperimentalAttribute")
            ? "[experimental] "
            : "";
        if (type.BaseType == typeof(MulticastDelegate))
        {
            return $"{experimental}delegate {Method(type.GetMethod("Invoke")!, TypeName.Of(type))}";
        }

        var kind = type switch
        {
            { IsInterface: true } => "interface",
            { IsEnum: true } => "enum",
            { IsValueType: true } => type.GetMethods(Declared).Any(method => method.Name == "PrintMembers") ? "record struct" : "struct",
            _ => type.GetMethod("<Clone>$") is not null ? "record" : "class",
        };
        var modifier = type switch
        {
            { IsInterface: true } or { IsValueType: true } => "",
            { IsAbstract: true, IsSealed: true } => "static ",
            { IsAbstract: true } => "abstract ",
            { IsSealed: true } => "sealed ",
            _ => "",
        };
        var inherited = type.BaseType is { } parent && parent != typeof(object) && !type.IsValueType ? [parent] : Array.Empty<Type>();
        var bases = inherited
            .Concat(DeclaredInterfaces(type))
            .Select(TypeName.Of)
            .ToList();
        return $"{experimental}{modifier}{kind} {TypeName.Of(type)}{(bases.Count > 0
            && !type.IsEnum ? " : " + string.Join(", ", bases) : "")}";
    }

    private static IEnumerable<Type> DeclaredInterfaces(Type type)
    {
        var all = type.GetInterfaces();
        var inherited = (type.BaseType?.GetInterfaces() ?? []).Concat(all.SelectMany(other => other.GetInterfaces()));
        return all.Except(inherited)
            .Where(other => other.IsPublic && !(other.IsGenericType && other.GetGenericTypeDefinition() == typeof(IEquatable<>)))
            .OrderBy(TypeName.Of, StringComparer.Ordinal);
    }

    private static IEnumerable<(string Name, string Text)> Members(Type type)
    {
        if (type.BaseType == typeof(MulticastDelegate))
        {
            return [];
        }

        if (type.IsEnum)
        {
            return type.GetFields(BindingFlags.Public | BindingFlags.Static)
                .Select(field => (Value: Convert.ToInt64(field.GetRawConstantValue(), CultureInfo.InvariantCulture), field.Name))
                .Select(item => ($"{item.Value:000}", $"{item.Name} = {item.Value}"));
        }

        var isRecord = type.GetMethod("<Clone>$") is not null || type.GetMethods(Declared).Any(method => method.Name == "PrintMembers");
        return type.GetConstructors(Declared).Where(made => IsVisible(made)).Select(made => ("", $"{Access(made)}new{Parameters(made)}"))
            .Concat(type.GetFields(Declared).Where(field => field.IsPublic || field.IsFamily).Select(field => (field.Name, Field(field))))
            .Concat(type.GetProperties(Declared).Where(property => property.GetAccessors(nonPublic: true).Any(IsVisible)).Select(
                property => (property.Name, Property(property))))
            .Concat(type.GetEvents(Declared).Where(item => IsVisible(item.AddMethod!)).Select(
                item => (item.Name, $"event {TypeName.Of(item.EventHandlerType!)} {item.Name}")))
            .Concat(type.GetMethods(Declared)
                .Where(method => IsVisible(method) && !method.IsSpecialName && !IsGenerated(method))
                .Where(method => !isRecord
                    || method.Name is not ("Equals" or "GetHashCode" or "ToString" or "PrintMembers" or "Deconstruct" or "<Clone>$"))
                .Select(method => (method.Name, Access(method) + Modifier(method) + Method(method, method.Name))));
    }

    private static string Field(FieldInfo field) =>
        field.IsLiteral
            ? $"const {TypeName.Of(field.FieldType)} {field.Name} = {Literal(field.GetRawConstantValue())}"
            : $"{(field.IsStatic ? "static " : "")}{(field.IsInitOnly ? "readonly " : "")}{TypeName.Of(
                new NullabilityInfoContext().Create(field))} {field.Name}";

    private static string Property(PropertyInfo property)
    {
        var accessors = property.GetAccessors(nonPublic: true);
        var required = property.IsDefined(typeof(RequiredMemberAttribute), inherit: false) ? "required " : "";
        var setter = property.SetMethod is { } set && IsVisible(set)
            ? set.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ? " init;" : " set;"
            : "";
        var getter = property.GetMethod is { } get && IsVisible(get) ? " get;" : "";
        return $"{Access(accessors[0])}{Modifier(accessors[0])}{required}{TypeName.Of(
            new NullabilityInfoContext().Create(property))} {property.Name} {{{getter}{setter} }}";
    }

    private static string Method(MethodInfo method, string name)
    {
        var generic = method.IsGenericMethodDefinition && name == method.Name
            ? $"<{string.Join(", ", method.GetGenericArguments().Select(argument => argument.Name))}>"
            : "";
        return $"{TypeName.Of(new NullabilityInfoContext().Create(method.ReturnParameter))} {name}{generic}{Parameters(method)}";
    }

    private static string Parameters(MethodBase method)
    {
        var extension = method.IsDefined(typeof(ExtensionAttribute), inherit: false) ? "this " : "";
        var parameters = method.GetParameters().Select(parameter =>
            (parameter.IsOut ? "out " : parameter.IsIn ? "in " : parameter.ParameterType.IsByRef ? "ref " : "")
            + (parameter.IsDefined(typeof(ParamArrayAttribute), inherit: false) ? "params " : "")
            + $"{TypeName.Of(new NullabilityInfoContext().Create(parameter))} {parameter.Name}"
            + (parameter.HasDefaultValue ? $" = {Literal(parameter.DefaultValue)}" : ""));
        return $"({extension}{string.Join(", ", parameters)})";
    }

    private static string Literal(object? value) => value switch
    {
        null => "default",
        string text => $"\"{text}\"",
        bool truth => truth ? "true" : "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static bool IsGenerated(MethodInfo method) => method.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false);

    private static string Access(MethodBase method) => method.IsPublic ? "" : "protected ";

    private static string Modifier(MethodInfo method) => method switch
    {
        { IsStatic: true } => "static ",
        { DeclaringType.IsInterface: true } => method.IsAbstract ? "" : "default ",
        { IsAbstract: true } => "abstract ",
        { IsVirtual: true, IsFinal: false } => method.GetBaseDefinition() == method ? "virtual " : "override ",
        _ => "",
    };
}
