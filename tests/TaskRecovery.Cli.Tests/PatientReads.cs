using System.Runtime.CompilerServices;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Cli.Tests;

/// <summary>The limits of the read model and of a node's session are 1 s to 3 s, which a machine that stands still exceeds.</summary>
internal static class PatientReads
{
    [ModuleInitializer]
    internal static void Begin() => PatientDatabase.Begin();
}
