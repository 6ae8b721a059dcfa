using TaskRecovery.Rules;

namespace TaskRecovery.Kinds;

/// <summary>The kinds of one service collection, validated when they are added.</summary>
internal sealed class KindRegistrations
{
    private readonly Dictionary<string, KindRegistration> _byKind = new(StringComparer.Ordinal);

    public IReadOnlyCollection<KindRegistration> All => _byKind.Values;

    /// <summary>Adds a kind, or adds the worker to a kind that was registered for enqueueing only.</summary>
    /// <exception cref="ArgumentException">The name is invalid.</exception>
    /// <exception cref="InvalidOperationException">The kind or the arguments type is used by another registration.</exception>
    public void Add(KindRegistration registration)
    {
        NameRules.Kind.Check(registration.Kind, "The kind", nameof(registration));
        if (_byKind.TryGetValue(registration.Kind, out var existing))
        {
            if (!existing.IsSameAs(registration))
            {
                throw Twice(existing, registration);
            }

            _byKind[registration.Kind] = (registration.IsWorked ? registration : existing) with
            {
                MaxAttempts = registration.MaxAttempts ?? existing.MaxAttempts,
            };
            return;
        }

        if (registration.IsEnqueuedByType
            && _byKind.Values.FirstOrDefault(other => other.IsEnqueuedByType && other.ArgsType == registration.ArgsType) is { } sameType)
        {
            throw new InvalidOperationException(
                $"{registration.ArgsType} is registered as the kind '{sameType.Kind}' and again as '{registration.Kind}', "
                + "so that enqueueing it would be ambiguous. Use a type of its own for each kind.");
        }

        _byKind.Add(registration.Kind, registration);
    }

    /// <summary>Returns the name of a kind: <paramref name="kind"/> if given, otherwise the name in the type's
    /// <see cref="JobKindAttribute"/>.</summary>
    public static string NameOf(Type argsType, string? kind)
    {
        if (kind is not null)
        {
            return kind;
        }

        return argsType.GetCustomAttributes(typeof(JobKindAttribute), inherit: false) is [JobKindAttribute attribute]
            ? attribute.Name
            : throw new InvalidOperationException(
                $"{argsType} has no kind. Put [JobKind(\"some.name\")] on it, or pass a kind to the registration: "
                + "a stable name that is stored with every entry.");
    }

    /// <summary>The error that a kind has two registrations.</summary>
    public static InvalidOperationException Twice(KindRegistration existing, KindRegistration registration)
        => new($"The kind '{registration.Kind}' is registered twice: for {Describe(existing)} and for {Describe(registration)}. "
            + "Give one of them another name.");

    private static string Describe(KindRegistration registration)
        => registration.WorkerType is { } worker ? $"{registration.ArgsType} worked by {worker}" : $"{registration.ArgsType}";
}
