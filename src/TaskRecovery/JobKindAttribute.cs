namespace TaskRecovery;

/// <summary>Sets the kind of an arguments type. The kind, not the type name, is stored with entries, so the type can be renamed or
/// moved.</summary>
/// <param name="name">The kind, for example <c>mail.send</c>. At most 100 bytes of UTF-8.</param>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct, Inherited = false)]
public sealed class JobKindAttribute(string name) : Attribute
{
    /// <summary>The kind that is stored with entries.</summary>
    public string Name { get; } = name;
}
