using System.Text.Json;

namespace TaskRecovery.Cli.Import;

/// <summary>A method call of Hangfire.</summary>
/// <param name="Type">The full name of the type.</param>
/// <param name="Method">The name of the method.</param>
/// <param name="ParameterTypes">The types of the parameters.</param>
/// <param name="Arguments">Each argument as JSON; <see langword="null"/> for a null reference.</param>
/// <param name="Queue">The queue, if the call names one.</param>
internal sealed record HangfireCall(
    string Type, string Method, IReadOnlyList<string> ParameterTypes, IReadOnlyList<string?> Arguments, string? Queue)
{
    // Hangfire passes values of its own for these.
    private static readonly string[] Supplied =
        ["Hangfire.IJobCancellationToken", "System.Threading.CancellationToken", "Hangfire.Server.PerformContext"];

    /// <summary>Reads a stored call.</summary>
    /// <param name="call">The call as JSON.</param>
    /// <param name="arguments">The arguments as a JSON array of texts; <see langword="null"/> if the call has them.</param>
    /// <exception cref="ImportRefusedException">It can't be read.</exception>
    public static HangfireCall Read(string call, string? arguments)
    {
        try
        {
            var stored = JsonSerializer.Deserialize(call, ImportJson.Default.StoredHangfireCall);
            if (stored is { ShortType: { } type, ShortMethod: { } method })
            {
                return new HangfireCall(
                    TypeText.FullNameOf(type), method, stored.ShortParameterTypes ?? [], stored.ShortArguments ?? [], stored.ShortQueue);
            }

            if (stored is { Type: { } name, Method: { } called })
            {
                return new HangfireCall(
                    TypeText.FullNameOf(name), called, [.. Texts(stored.ParameterTypes).OfType<string>()],
                    Texts(arguments ?? stored.Arguments), stored.Queue);
            }
        }
        catch (JsonException)
        {
            // Reported below.
        }

        throw new ImportRefusedException("its method call can't be read: it is not one of Hangfire 1.7 or 1.8");
    }

    /// <summary>Returns the arguments as one JSON value.</summary>
    /// <exception cref="ImportRefusedException">They can't be expressed as the mapping wants.</exception>
    public JsonElement ToArgs(MappedKind mapped)
    {
        if (ParameterTypes.Count != Arguments.Count)
        {
            throw new ImportRefusedException($"it has {ParameterTypes.Count} parameters and {Arguments.Count} arguments");
        }

        var given = ParameterTypes.Zip(Arguments)
            .Where(static one => !Supplied.Contains(TypeText.FullNameOf(one.First), StringComparer.Ordinal)).ToList();
        if (mapped.IsWhole)
        {
            return given is [(var type, { } only)]
                ? ArgsText.Read(() => JsonElement.Parse(JsonOf(type, only, 0)))
                : throw new ImportRefusedException(
                    $"the mapping to '{mapped.Kind}(*)' is for one argument that is not null, and it has {given.Count}");
        }

        if (mapped.Names is { } names && names.Count != given.Count)
        {
            throw new ImportRefusedException(
                $"the mapping to '{mapped.Kind}' names {names.Count} arguments, and it has {given.Count}: "
                + string.Join(", ", given.Select(static one => TypeText.FullNameOf(one.First))));
        }

        return ArgsText.ToObject(given.Select((one, at) => (mapped.Names?[at] ?? $"arg{at}", JsonOf(one.First, one.Second, at))));
    }

    private static string?[] Texts(string? json)
        => json is null ? [] : JsonSerializer.Deserialize(json, ImportJson.Default.StringArray) ?? [];

    // Before the compatibility level 1.7, a time is stored as its text.
    private static string JsonOf(string type, string? argument, int at)
        => argument is null ? "null"
            : ArgsText.IsJson(argument) ? argument
            : type.Contains("System.DateTime", StringComparison.Ordinal) ? ArgsText.Quote(argument)
            : throw new ImportRefusedException($"its argument {at} ({TypeText.FullNameOf(type)}) is not JSON");
}
