namespace TaskRecovery.Tests.HouseStyle;

/// <summary>Fails with every offender on a line of its own, so that one run shows them all.</summary>
internal static class Nothing
{
    public static void In(IEnumerable<string?> offenders)
    {
        var all = offenders.ToList();
        Assert.True(all.Count == 0, string.Join('\n', all));
    }
}
