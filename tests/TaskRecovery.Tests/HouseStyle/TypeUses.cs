using System.Reflection;
using System.Reflection.Emit;

namespace TaskRecovery.Tests.HouseStyle;

/// <summary>Finds the types that a compiled type uses: in its base, fields and signatures, and in the code of its methods.</summary>
internal static class TypeUses
{
    private const BindingFlags Declared =
        BindingFlags.DeclaredOnly | BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    private static readonly Dictionary<short, OpCode> Codes = typeof(OpCodes)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(static field => (OpCode)field.GetValue(null)!)
        .ToDictionary(static code => code.Value);

    public static IEnumerable<Type> Of(Type type)
    {
        IEnumerable<Type?> used =
        [
            type.BaseType,
            .. type.GetInterfaces(),
            .. type.GetFields(Declared).Select(static field => field.FieldType),
            .. type.GetMethods(Declared).SelectMany(OfMethod),
            .. type.GetConstructors(Declared).SelectMany(OfMethod),
        ];
        return used.OfType<Type>().SelectMany(Parts).Distinct();
    }

    private static IEnumerable<Type?> OfMethod(MethodBase method)
        => [.. Signature(method), .. Variables(method), .. Code(method).SelectMany(OfMember)];

    private static IEnumerable<Type?> Signature(MethodBase method)
        => method.GetParameters().Select(static parameter => parameter.ParameterType).Append((method as MethodInfo)?.ReturnType);

    private static IEnumerable<Type> Variables(MethodBase method)
        => method.GetMethodBody()?.LocalVariables.Select(static variable => variable.LocalType) ?? [];

    private static IEnumerable<Type?> OfMember(MemberInfo member) => member switch
    {
        Type type => [type],
        MethodBase method => [method.DeclaringType, .. method.IsGenericMethod ? method.GetGenericArguments() : []],
        _ => [member.DeclaringType],
    };

    // The members that the instructions of a method name.
    private static IEnumerable<MemberInfo> Code(MethodBase method)
    {
        var code = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        var ofType = method.DeclaringType is { IsGenericType: true } generic ? generic.GetGenericArguments() : null;
        var ofMethod = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (var at = 0; at < code.Length;)
        {
            var value = code[at] == 0xFE ? (short)(0xFE00 | code[at + 1]) : code[at];
            at += value is >= 0 and < 0x100 ? 1 : 2;
            var operand = Codes[value].OperandType;
            if (operand is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok)
            {
                yield return method.Module.ResolveMember(BitConverter.ToInt32(code, at), ofType, ofMethod)!;
            }

            at += operand switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(code, at)),
                _ => 4,
            };
        }
    }

    private static IEnumerable<Type> Parts(Type type)
    {
        if (type.HasElementType)
        {
            return Parts(type.GetElementType()!);
        }

        return type.IsGenericParameter ? []
            : type.IsGenericType ? [type.GetGenericTypeDefinition(), .. type.GetGenericArguments().SelectMany(Parts)]
            : [type];
    }
}
