namespace TaskRecovery.WebSample;

/// <summary>The services of others, which take their time and fail now and then. A test replaces it.</summary>
internal class Gateway(TimeProvider time)
{
    /// <summary>Answers after a while, or throws.</summary>
    /// <param name="what">What is asked for, for the error.</param>
    /// <param name="milliseconds">How long it takes.</param>
    /// <param name="failures">How many of a hundred calls fail.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public virtual async Task CallAsync(string what, int milliseconds, int failures, CancellationToken cancellationToken)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(milliseconds / 2, milliseconds * 2)), time, cancellationToken);
        if (Random.Shared.Next(100) < failures)
        {
            throw new HttpRequestException($"{what} answered 502 (Bad Gateway).");
        }
    }
}
