namespace TaskRecovery.Schedules;

/// <summary>Time zones by their IANA id, as every machine and both stores know them.</summary>
internal static class TimeZones
{
    /// <summary>The id that is stored for UTC.</summary>
    public const string Utc = "UTC";

    /// <summary>Finds a zone by id.</summary>
    /// <returns><see langword="null"/> if this machine does not know it.</returns>
    public static TimeZoneInfo? Find(string id)
        => string.Equals(id, Utc, StringComparison.OrdinalIgnoreCase) ? TimeZoneInfo.Utc
            : TimeZoneInfo.TryFindSystemTimeZoneById(id, out var zone) ? zone : null;

    /// <summary>The id to store for a zone that a caller named.</summary>
    /// <exception cref="TimeZoneNotFoundException">This machine does not know the zone.</exception>
    public static string Check(string id)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(id);
        if (Find(id) is not { } zone)
        {
            throw new TimeZoneNotFoundException(
                $"The time zone '{id}' is not known on this machine. Give an IANA id such as 'Europe/Berlin'; "
                + "if the id is right, install the time zone data of the operating system (the package tzdata on Linux).");
        }

        if (zone.HasIanaId)
        {
            return ReferenceEquals(zone, TimeZoneInfo.Utc) ? Utc : zone.Id;
        }

        return TimeZoneInfo.TryConvertWindowsIdToIanaId(zone.Id, out var iana)
            ? iana
            : throw new TimeZoneNotFoundException($"The time zone '{id}' has no IANA id. Give one, such as 'Europe/Berlin': other machines do not know the ids of this one.");
    }
}
