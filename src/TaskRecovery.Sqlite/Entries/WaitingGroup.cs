namespace TaskRecovery.Sqlite;

/// <summary>The waiting entries of one queue, kind and level.</summary>
/// <param name="Kind">The kind's number.</param>
/// <param name="KindName">The kind's name.</param>
/// <param name="Level">The level.</param>
/// <param name="FirstDue">When the first entry is due.</param>
internal readonly record struct WaitingGroup(long Kind, string KindName, int Level, long FirstDue);
