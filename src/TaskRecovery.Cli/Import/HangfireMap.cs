namespace TaskRecovery.Cli.Import;

/// <summary>Finds the kind of a method call.</summary>
internal static class HangfireMap
{
    /// <exception cref="ImportRefusedException">The method is not mapped.</exception>
    public static MappedKind Require(ImportMap map, HangfireCall call)
        => map.Find(call.Type, call.Method) ?? throw new ImportRefusedException(
            $"'{call.Type}.{call.Method}' is not mapped: add --map '{call.Type}.{call.Method}=KIND'");
}
