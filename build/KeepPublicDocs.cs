using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Xml.Linq;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

/// <summary>Removes the members of an XML documentation file that are not visible outside of the assembly. MSBuild compiles this file when
/// it makes a package.</summary>
public sealed class KeepPublicDocs : Task
{
    private const BindingFlags Own =
        BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    [Required]
    public string AssemblyPath { get; set; }

    [Required]
    public string DocumentPath { get; set; }

    [Required]
    public string[] References { get; set; }

    public override bool Execute()
    {
        // MSBuild has this library, but this file is compiled without a reference to it.
        var library = Assembly.Load("System.Reflection.MetadataLoadContext");
        var resolver = Activator.CreateInstance(
            library.GetType("System.Reflection.PathAssemblyResolver", true), References.Concat(new[] { AssemblyPath }));
        var type = library.GetType("System.Reflection.MetadataLoadContext", true);
        using (var context = (IDisposable)Activator.CreateInstance(type, resolver, null))
        {
            var assembly = (Assembly)type.GetMethod("LoadFromAssemblyPath").Invoke(context, new object[] { AssemblyPath });
            var visible = new HashSet<string>(assembly.GetTypes().Where(IsVisible).SelectMany(Ids));
            var document = XDocument.Load(DocumentPath, LoadOptions.PreserveWhitespace);
            var hidden = document.Descendants("member").Where(member => !visible.Contains((string)member.Attribute("name"))).ToList();
            foreach (var member in hidden)
            {
                // The line break before it.
                (member.PreviousNode as XText)?.Remove();
                member.Remove();
            }

            document.Save(DocumentPath, SaveOptions.DisableFormatting);
            Log.LogMessage("{0}: {1} members that are not visible were removed.", DocumentPath, hidden.Count);
        }

        return true;
    }

    private static bool IsVisible(Type type)
        => type.IsPublic || ((type.IsNestedPublic || type.IsNestedFamily || type.IsNestedFamORAssem) && IsVisible(type.DeclaringType));

    private static bool IsVisible(MethodBase method)
        => method != null && (method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly);

    private static IEnumerable<string> Ids(Type type)
    {
        var owner = Name(type);
        yield return "T:" + owner;
        foreach (var member in type.GetMembers(Own))
        {
            if (member is FieldInfo field && (field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly))
            {
                yield return "F:" + owner + "." + field.Name;
            }
            else if (member is PropertyInfo property && property.GetAccessors(true).Any(IsVisible))
            {
                yield return "P:" + owner + "." + Escape(property.Name) + Parameters(property.GetIndexParameters());
            }
            else if (member is EventInfo added && IsVisible(added.GetAddMethod(true)))
            {
                yield return "E:" + owner + "." + Escape(added.Name);
            }
            else if (member is MethodBase method && IsVisible(method))
            {
                var arity = method.IsGenericMethod ? "``" + method.GetGenericArguments().Length : "";
                var result = method is MethodInfo operation && (method.Name == "op_Implicit" || method.Name == "op_Explicit")
                    ? "~" + Shown(operation.ReturnType)
                    : "";
                yield return "M:" + owner + "." + Escape(method.Name) + arity + Parameters(method.GetParameters()) + result;
            }
        }
    }

    private static string Escape(string name) => name.Replace('.', '#').Replace('<', '{').Replace('>', '}').Replace(',', '@');

    private static string Name(Type type) => type.FullName.Replace('+', '.');

    private static string Parameters(ParameterInfo[] parameters)
        => parameters.Length == 0 ? "" : "(" + string.Join(",", parameters.Select(parameter => Shown(parameter.ParameterType))) + ")";

    private static string Shown(Type type)
    {
        if (type.IsGenericParameter)
        {
            return (type.DeclaringMethod == null ? "`" : "``") + type.GenericParameterPosition;
        }

        if (type.IsByRef)
        {
            return Shown(type.GetElementType()) + "@";
        }

        if (type.IsPointer)
        {
            return Shown(type.GetElementType()) + "*";
        }

        if (type.IsArray)
        {
            var bounds = type.GetArrayRank() == 1 ? "" : string.Join(",", Enumerable.Repeat("0:", type.GetArrayRank()));
            return Shown(type.GetElementType()) + "[" + bounds + "]";
        }

        return type.IsGenericType ? ShownGeneric(type) : Name(type);
    }

    // Outer.Inner{System.String}: every level has the arguments that it adds.
    private static string ShownGeneric(Type type)
    {
        var arguments = new Queue<string>(type.GetGenericArguments().Select(Shown));
        var levels = new Stack<Type>();
        for (var level = type.GetGenericTypeDefinition(); level != null; level = level.DeclaringType)
        {
            levels.Push(level);
        }

        var text = levels.Peek().Namespace;
        foreach (var level in levels)
        {
            var parts = level.Name.Split('`');
            text += "." + parts[0];
            if (parts.Length > 1)
            {
                text += "{" + string.Join(",", Enumerable.Range(0, int.Parse(parts[1])).Select(_ => arguments.Dequeue())) + "}";
            }
        }

        return text;
    }
}
