namespace TaskRecovery;

/// <summary>How a <see cref="Count"/> is to be read.</summary>
public enum CountPrecision
{
    /// <summary>The number is exact.</summary>
    Exact = 0,

    /// <summary>Counting stopped at this number; there are at least as many.</summary>
    AtLeast = 1,

    /// <summary>The number is an estimate.</summary>
    About = 2,
}
