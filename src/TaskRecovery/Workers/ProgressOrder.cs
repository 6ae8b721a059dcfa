namespace TaskRecovery.Workers;

/// <summary>Keeps the writes of one run in the order in which the handler called them, where the order matters: a checkpoint waits for the
/// checkpoint or reset before it, a step for the reset before it, and a reset for all writes before it.</summary>
/// <remarks>A handler may call the next one before the last one has returned. If the store fails, a write is repeated; were a later one
/// stored meanwhile, the repetition would replace a newer checkpoint, or remove newer steps. Writes also take different ways to the store,
/// so that even without a failure a later one could come first.</remarks>
internal sealed class ProgressOrder
{
    private readonly Lock _gate = new();
    private Task _steps = Task.CompletedTask;

    // The last checkpoint or reset.
    private Task _checkpoint = Task.CompletedTask;
    private Task _reset = Task.CompletedTask;
    private long _last;

    /// <summary>Returns the turn of a step.</summary>
    public ProgressTurn TakeStep()
    {
        lock (_gate)
        {
            var turn = Next(_reset);
            _steps = Both(_steps, turn.Task);
            return turn;
        }
    }

    /// <summary>Returns the turn of a checkpoint.</summary>
    public ProgressTurn TakeCheckpoint()
    {
        lock (_gate)
        {
            var turn = Next(_checkpoint);
            _checkpoint = turn.Task;
            return turn;
        }
    }

    /// <summary>Returns the turn of a reset, which removes the steps and the checkpoint.</summary>
    public ProgressTurn TakeReset()
    {
        lock (_gate)
        {
            var turn = Next(Both(_steps, _checkpoint));
            (_steps, _checkpoint, _reset) = (Task.CompletedTask, turn.Task, turn.Task);
            return turn;
        }
    }

    private static Task Both(Task one, Task other) => one.IsCompleted ? other : other.IsCompleted ? one : Task.WhenAll(one, other);

    private ProgressTurn Next(Task before) => new(++_last, before);
}
