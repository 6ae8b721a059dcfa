using System.Runtime.CompilerServices;

namespace TaskRecovery.Testing.Crashes;

/// <summary>Checks that a function of a test returns a new object each time. What a worker remembers from an earlier run would hide what a
/// crash destroys, and what a world remembers from an earlier crash would hide what is missing after this one.</summary>
internal sealed class NewObjects
{
    private readonly ConditionalWeakTable<object, NewObjects> _returned = [];
    private readonly string _function;
    private readonly string _why;

    private NewObjects(string function, string why)
    {
        _function = function;
        _why = why;
    }

    public static NewObjects Worlds()
        => new("world", "Each crash needs a world in which nothing has happened yet: create a new one. If it stands for something that all "
            + "crashes share, such as a database, empty that and return a new object around it.");

    public static NewObjects Handlers(string function)
        => new(function, "What it keeps in memory does not survive a crash: create a new one for each run.");

    /// <summary>Returns the object. Values, texts and null remember nothing, so they may be returned again.</summary>
    /// <exception cref="InvalidOperationException">The object was returned before.</exception>
    public T Take<T>(T returned)
        => typeof(T).IsValueType || returned is null or string || _returned.TryAdd(returned, this)
            ? returned
            : throw new InvalidOperationException(
                $"The function '{_function}' returned a {returned.GetType()} that it had returned before. {_why}");
}
