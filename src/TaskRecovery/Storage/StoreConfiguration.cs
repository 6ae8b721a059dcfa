using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Configuration;

namespace TaskRecovery.Storage;

/// <summary>The configuration section passed to <c>AddTaskRecovery</c>. A store binds the child section with its own name.</summary>
/// <param name="Section">The section, usually <c>TaskRecovery</c>.</param>
[Experimental("TASKRECOVERY001")]
public sealed record StoreConfiguration(IConfiguration Section);
