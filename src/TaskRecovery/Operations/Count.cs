namespace TaskRecovery;

/// <summary>A number that may not be exact, because counting everything would be too expensive.</summary>
/// <param name="Value">The number.</param>
/// <param name="Precision">How the number is to be read.</param>
public readonly record struct Count(long Value, CountPrecision Precision = CountPrecision.Exact)
{
    /// <summary>An exact number.</summary>
    public static implicit operator Count(long value) => new(value);

    /// <summary>Describes the number: <c>12</c>, <c>100000+</c> or <c>~5000000</c>.</summary>
    public override string ToString() => Precision switch
    {
        CountPrecision.AtLeast => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Value}+"),
        CountPrecision.About => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"~{Value}"),
        _ => Value.ToString(System.Globalization.CultureInfo.InvariantCulture),
    };
}
