namespace TaskRecovery.Testing.Scripts;

/// <summary>What a worker does, one operation after the other.</summary>
/// <param name="Operations">The operations.</param>
/// <param name="CrashIn">The number of the operation, a step, in which the first run crashes; <see langword="null"/> for no crash.</param>
/// <param name="CrashesAfterEffect">Whether it crashes after the step's effect or before it.</param>
[JobKind("script")]
public sealed record Script(IReadOnlyList<ScriptOperation> Operations, int? CrashIn, bool CrashesAfterEffect)
{
    /// <summary>Creates a random script.</summary>
    public static Script Random(Random random)
    {
        var operations = new List<ScriptOperation>();
        for (var i = random.Next(2, 8); i > 0; i--)
        {
            operations.Add((ScriptOperation)random.Next((int)ScriptOperation.Complete));
        }

        operations.Add((ScriptOperation)random.Next((int)ScriptOperation.Complete, (int)ScriptOperation.Cancel + 1));
        int[] steps = [.. operations.Index().Where(static operation => operation.Item == ScriptOperation.Step).Select(
            static operation => operation.Index)];
        return new Script(
            operations, steps.Length == 0 || random.Next(4) == 0 ? null : steps[random.Next(steps.Length)], random.Next(2) == 0);
    }
}
