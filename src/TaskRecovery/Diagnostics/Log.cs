using Microsoft.Extensions.Logging;

namespace TaskRecovery.Diagnostics;

/// <summary>Every log message. Ids are stable: 1xxx queue, 2xxx worker, 3xxx recovery and nodes, 4xxx jobs and tasks, 5xxx store. One partial file for each.</summary>
internal static partial class Log
{
}
