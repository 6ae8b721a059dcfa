using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Configuration;

namespace TaskRecovery.Storage;

/// <summary>The section that was given to <c>AddTaskRecovery</c>. A store binds the part of it that has the store's name.</summary>
/// <param name="Section">The section, usually <c>TaskRecovery</c>.</param>
[Experimental("TASKRECOVERY001")]
public sealed record StoreConfiguration(IConfiguration Section);
