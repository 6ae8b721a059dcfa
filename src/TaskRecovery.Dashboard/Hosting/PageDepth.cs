namespace TaskRecovery.Dashboard.Hosting;

/// <summary>How many steps up the dashboard's root is from the address of an endpoint.</summary>
internal sealed record PageDepth(int Value)
{
    public static PageDepth Of(string route) => new(route.Count(static character => character == '/'));
}
