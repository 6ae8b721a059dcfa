namespace TaskRecovery;

/// <summary>What a bulk operation does with each entry.</summary>
public enum BulkAction
{
    /// <summary>Failed and cancelled entries are retried.</summary>
    Retry = 0,

    /// <summary>Waiting entries are cancelled, and the handlers of running ones are asked to stop.</summary>
    Cancel = 1,

    /// <summary>What another operation has changed is reversed (see <see cref="IQueueOperator.UndoAsync"/>).</summary>
    Undo = 2,
}
