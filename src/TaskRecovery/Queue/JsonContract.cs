using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace TaskRecovery.Queue;

/// <summary>Rejects types whose values would not survive a round trip through JSON. Each type is checked once, by its JSON
/// contract.</summary>
/// <remarks>Without the check, values would be lost without an error: properties with a private setter, <see langword="object"/> members
/// and members of derived types are written or skipped, but not read back. A step would then return default values in the next
/// attempt.</remarks>
internal static class JsonContract
{
    /// <summary>Returns the contract of a type, after checking the type and all types that it contains.</summary>
    /// <exception cref="NotSupportedException">The type has no contract, or a value of it would not survive a round trip. The message names
    /// the type, the member and the remedy.</exception>
    public static JsonTypeInfo Find(JsonSerializerOptions options, Type type)
    {
        var root = InfoOf(options, type);
        var known = new HashSet<Type>();
        var left = new Stack<(Type Type, string Where)>([(type, type.ToString())]);
        while (left.TryPop(out var next))
        {
            if (known.Add(next.Type))
            {
                Check(InfoOf(options, next.Type), next.Where, left);
            }
        }

        return root;
    }

    /// <summary>Rejects values of a derived type in a member of the base type, because only the members of the base type would be
    /// written.</summary>
    public static void RefuseDerivedInstances(JsonTypeInfo info)
    {
        if (info.Kind != JsonTypeInfoKind.Object || info.Type.IsSealed || info.Type.IsValueType || info.PolymorphismOptions is not null)
        {
            return;
        }

        var (type, before) = (info.Type, info.OnSerializing);
        info.OnSerializing = value =>
        {
            if (value.GetType() != type)
            {
                throw new NotSupportedException(
                    $"A {value.GetType()} is to be stored as {type}: its own members would not be stored. Declare the variable or member "
                    + $"as {value.GetType()}, or put [JsonDerivedType] on {type}.");
            }

            before?.Invoke(value);
        };
    }

    private static JsonTypeInfo InfoOf(JsonSerializerOptions options, Type type)
    {
        try
        {
            return options.GetTypeInfo(type);
        }
        catch (Exception exception) when (exception is NotSupportedException or InvalidOperationException)
        {
            throw new NotSupportedException(
                $"There is no JSON metadata for {type}, so that it can't be stored or read. In a trimmed or native build add "
                    + $"[JsonSerializable(typeof({type.Name}))] to a JsonSerializerContext and set "
                    + $"{nameof(TaskRecoveryOptions)}.{nameof(TaskRecoveryOptions.Json)} to options with that context as their resolver. "
                    + $"({exception.Message})",
                exception);
        }
    }

    private static void Check(JsonTypeInfo info, string where, Stack<(Type Type, string Where)> left)
    {
        if (info.Type == typeof(object))
        {
            throw Refused(where, "is an object, which reads back as JSON and not as what it was", "Declare it as the type that it has, "
                + "or as a JsonElement");
        }

        foreach (var part in new[] { info.KeyType, info.ElementType }.OfType<Type>())
        {
            left.Push((part, $"{where} (its {part.Name})"));
        }

        if (info.PolymorphismOptions is { } polymorphism)
        {
            foreach (var derived in polymorphism.DerivedTypes.Where(derived => derived.DerivedType != info.Type))
            {
                left.Push((derived.DerivedType, derived.DerivedType.ToString()));
            }
        }

        if (info.Kind != JsonTypeInfoKind.Object)
        {
            return;
        }

        if (info.Type.IsAbstract)
        {
            if (info.PolymorphismOptions is null)
            {
                throw Refused(where, $"is {(info.Type.IsInterface ? "an interface" : "an abstract type")}, which can't be read back",
                    $"Declare it as the type that it has, or put [JsonDerivedType] on {info.Type}");
            }
        }
        else if (info.CreateObject is null && !HasUsableConstructor(info))
        {
            throw Refused(where, $"is {info.Type}, which has no constructor that reading can use",
                "Give it a public constructor without parameters, or one whose parameters have the names of its members");
        }

        foreach (var member in info.Properties.Where(member => member is { Get: not null, IsExtensionData: false }))
        {
            if (member.Set is null && member.AssociatedParameter is null && !IsPopulated(info, member) && !IsComputed(info, member))
            {
                throw Refused($"{info.Type}.{NameOf(member)}", "is written and not read back, because it has no public setter and no "
                    + "constructor parameter of its name",
                    "Give it an init or set accessor, put [JsonInclude] on it if that is private, or put [JsonIgnore] on it if it follows "
                    + "from the other members");
            }

            if (member.CustomConverter is null)
            {
                left.Push((member.PropertyType, $"{info.Type}.{NameOf(member)}"));
            }
        }
    }

    private static bool HasUsableConstructor(JsonTypeInfo info)
    {
        var bound = info.Properties.Count(member => member.AssociatedParameter is not null);
        return info.ConstructorAttributeProvider is ConstructorInfo constructor ? bound == constructor.GetParameters().Length : bound > 0;
    }

    private static bool IsPopulated(JsonTypeInfo info, JsonPropertyInfo member)
        => (member.ObjectCreationHandling ?? info.PreferredPropertyObjectCreationHandling
            ?? info.Options.PreferredObjectCreationHandling) == JsonObjectCreationHandling.Populate;

    // A read-only property counts as computed from the other members if every field of the type belongs to a member that is read back or
    // that the application ignores explicitly: then it has no other state. Native AOT builds do not expose fields, so nothing counts as
    // computed there.
    [UnconditionalSuppressMessage(
        "Trimming", "IL2070", Justification = "Only where reflection is enabled, which it is not in trimmed builds.")]
    [UnconditionalSuppressMessage(
        "Trimming", "IL2075", Justification = "Only where reflection is enabled, which it is not in trimmed builds.")]
    private static bool IsComputed(JsonTypeInfo info, JsonPropertyInfo member)
    {
        if (!JsonSerializer.IsReflectionEnabledByDefault || member.AttributeProvider is not PropertyInfo { SetMethod: null })
        {
            return false;
        }

        const BindingFlags own = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        var readBack = info.Properties.Where(other => other.Set is not null
            || other.AssociatedParameter is not null).Select(NameOf).ToHashSet(StringComparer.OrdinalIgnoreCase);
        for (var type = info.Type; type is not null && type != typeof(object) && type != typeof(ValueType); type = type.BaseType)
        {
            var ignored = type.GetProperties(own).Where(property => property.IsDefined(typeof(JsonIgnoreAttribute), inherit: true))
                .Select(property => property.Name);
            readBack.UnionWith(ignored);
            if (type.GetFields(own).Any(field => !readBack.Contains(MemberOf(field))))
            {
                return false;
            }
        }

        return true;
    }

    // The compiler names the backing field of a property <Name>k__BackingField, and the field of a captured constructor parameter <name>P.
    private static string MemberOf(FieldInfo field)
        => field.Name is ['<', .. var rest] && rest.IndexOf('>', StringComparison.Ordinal) is > 0 and var end ? rest[..end] : field.Name;

    private static string NameOf(JsonPropertyInfo member) => member.AttributeProvider is MemberInfo known ? known.Name : member.Name;

    private static NotSupportedException Refused(string where, string problem, string remedy)
        => new($"{where} {problem}, so that a value of it would be lost in the store. {remedy}.");
}
