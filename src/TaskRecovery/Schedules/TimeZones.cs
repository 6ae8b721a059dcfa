namespace TaskRecovery.Schedules;

/// <summary>Finds time zones by their IANA id, which is the same on every machine and in both stores.</summary>
internal static class TimeZones
{
    /// <summary>The id stored for UTC.</summary>
    public const string Utc = "UTC";

    /// <summary>Finds a time zone by id.</summary>
    /// <returns><see langword="null"/> if this machine does not know the time zone.</returns>
    public static TimeZoneInfo? Find(string id)
        => string.Equals(id, Utc, StringComparison.OrdinalIgnoreCase) ? TimeZoneInfo.Utc
            : TimeZoneInfo.TryFindSystemTimeZoneById(id, out var zone) ? zone : null;

    /// <summary>Finds a time zone by id.</summary>
    /// <exception cref="TimeZoneNotFoundException">This machine does not know the time zone.</exception>
    public static TimeZoneInfo Get(string id) => Find(id) ?? throw Unknown(id);

    /// <summary>Returns the id to store for a time zone id passed by a caller.</summary>
    /// <exception cref="TimeZoneNotFoundException">This machine does not know the time zone.</exception>
    public static string Check(string id)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(id);
        if (Find(id) is not { } zone)
        {
            throw Unknown(id);
        }

        if (zone.HasIanaId)
        {
            return ReferenceEquals(zone, TimeZoneInfo.Utc) ? Utc : zone.Id;
        }

        return TimeZoneInfo.TryConvertWindowsIdToIanaId(zone.Id, out var iana)
            ? iana
            : throw new TimeZoneNotFoundException(
                $"The time zone '{id}' has no IANA id. Give one, such as 'Europe/Berlin': other machines do not know the ids of this one.");
    }

    private static TimeZoneNotFoundException Unknown(string id)
        => new($"The time zone '{id}' is not known on this machine. Give an IANA id such as 'Europe/Berlin'; "
            + "if the id is right, install the time zone data of the operating system (the package tzdata on Linux).");
}
