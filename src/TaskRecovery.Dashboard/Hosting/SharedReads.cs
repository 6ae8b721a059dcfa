using System.Diagnostics.CodeAnalysis;

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

    /// <summary>How many answers are kept. Those that are too old are removed when a question is asked.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _answers.Count;
            }
        }
    }

    /// <summary>The answer to a question, at most two seconds old.</summary>
    /// <param name="question">A text that is the same for the same question.</param>
    /// <param name="read">Reads the answer. It is not cancelled with the request, because other requests wait for it too; the store has
    /// time limits of its own.</param>
    /// <param name="cancellationToken">Ends the wait of this request.</param>
    public async ValueTask<T> GetAsync<T>(string question, Func<CancellationToken, ValueTask<T>> read, CancellationToken cancellationToken)
        => await Start(question, read, out _).WaitAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>As <see cref="GetAsync"/>, without waiting for the answer.</summary>
    /// <param name="question">A text that is the same for the same question.</param>
    /// <param name="read">Reads the answer.</param>
    /// <param name="isNew">Whether <paramref name="read"/> is called.</param>
    public Task<T> Start<T>(string question, Func<CancellationToken, ValueTask<T>> read, out bool isNew)
    {
        lock (_lock)
        {
            isNew = !_answers.TryGetValue(question, out var known) || !IsUsable(known);
            if (!isNew)
            {
                return (Task<T>)known!.Task;
            }

            RemoveOld();
            var answer = Task.Run(async () => await read(CancellationToken.None).ConfigureAwait(false), CancellationToken.None);
            _answers[question] = new Answer(answer, time.GetTimestamp());
            return answer;
        }
    }

    /// <summary>Finds the answer that is known or being read.</summary>
    /// <returns><see langword="false"/> if the question has to be asked.</returns>
    public bool TryFind<T>(string question, [NotNullWhen(true)] out Task<T>? answer)
    {
        lock (_lock)
        {
            answer = _answers.TryGetValue(question, out var known) && IsUsable(known) ? (Task<T>)known.Task : null;
            return answer is not null;
        }
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

    // An answer may be large, so none is kept longer than it is used. If there are too many, a removed answer is read again if it is asked
    // for. A running read stays, so that it is not started twice.
    private void RemoveOld()
    {
        var isFull = _answers.Count >= MaxQuestions;
        foreach (var (question, answer) in _answers)
        {
            if (isFull ? answer.Task.IsCompleted : !IsUsable(answer))
            {
                _answers.Remove(question);
            }
        }
    }

    private sealed record Answer(Task Task, long AskedAt);
}
