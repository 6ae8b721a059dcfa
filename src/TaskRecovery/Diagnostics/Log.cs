using Microsoft.Extensions.Logging;

namespace TaskRecovery.Diagnostics;

/// <summary>All log messages. Ids are stable: 1xxx queue, 2xxx worker, 3xxx recovery and nodes, 4xxx jobs and tasks, 5xxx store. There is
/// one partial file per area.</summary>
internal static partial class Log
{
}
