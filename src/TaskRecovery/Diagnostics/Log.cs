using Microsoft.Extensions.Logging;

namespace TaskRecovery.Diagnostics;

/// <summary>The log messages of the engine. Ids are stable: 1xxx queues and 2xxx workers (<c>Log.Workers.cs</c>), 3001 to 3049 nodes,
/// 3050 to 3099 recovery, 4xxx jobs and tasks. The SQLite store (5xxx) and the dashboard (6xxx) have log classes of their own.</summary>
internal static partial class Log
{
}
