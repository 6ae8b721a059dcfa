namespace TaskRecovery.Dashboard.Hosting;

/// <summary>Reads of the store that all viewers share: at most one at a time for each question, and none before the last answer is two
/// seconds old. If nobody looks, nothing is read.</summary>
/// <remarks>It keeps raw answers, never rendered pages: what of an answer a user may see is decided for each request.</remarks>
internal sealed class SharedReads(TimeProvider time)
{
    private const int MaxQuestions = 200;
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Answer> _answers = new(StringComparer.Ordinal);

    /// <summary>The answer to a question, at most two seconds old.</summary>
    /// <param name="question">A text that is the same for the same question.</param>
    /// <param name="read">Reads the answer. It is not cancelled with the request, because other requests wait for it too; the store has
    /// time limits of its own.</param>
    /// <param name="cancellationToken">Ends the wait of this request.</param>
    public async ValueTask<T> GetAsync<T>(string question, Func<CancellationToken, ValueTask<T>> read, CancellationToken cancellationToken)
    {
        Task<T> answer;
        lock (_lock)
        {
            if (_answers.TryGetValue(question, out var known) && IsUsable(known))
            {
                answer = (Task<T>)known.Task;
            }
            else
            {
                RemoveOld();
                answer = Task.Run(async () => await read(CancellationToken.None).ConfigureAwait(false), CancellationToken.None);
                _answers[question] = new Answer(answer, time.GetTimestamp());
            }
        }

        return await answer.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Forgets all answers, so that a user sees what an action has just changed.</summary>
    public void Forget()
    {
        lock (_lock)
        {
            _answers.Clear();
        }
    }

    // A failed read is shared by those who waited for it, but the next request tries again.
    private bool IsUsable(Answer answer)
        => !answer.Task.IsCompleted || (answer.Task.IsCompletedSuccessfully && time.GetElapsedTime(answer.AskedAt) < Fresh);

    private void RemoveOld()
    {
        if (_answers.Count < MaxQuestions)
        {
            return;
        }

        foreach (var (question, answer) in _answers)
        {
            if (!IsUsable(answer))
            {
                _answers.Remove(question);
            }
        }
    }

    private sealed record Answer(Task Task, long AskedAt);
}
