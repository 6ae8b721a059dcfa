namespace TaskRecovery;

/// <summary>What came of something that an operator asked for.</summary>
public enum OperatorResult
{
    /// <summary>It was done.</summary>
    Done = 0,

    /// <summary>There is no such entry, or retention has removed it.</summary>
    NotFound = 1,

    /// <summary>The entry has not ended: it waits or runs.</summary>
    NotEnded = 2,

    /// <summary>The entry was completed, and is not run again.</summary>
    Completed = 3,

    /// <summary>Another entry holds its unique key.</summary>
    KeyHeld = 4,

    /// <summary>The entry's data were erased: there is nothing left to run.</summary>
    Erased = 5,
}
