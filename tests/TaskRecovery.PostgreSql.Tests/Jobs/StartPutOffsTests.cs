using Microsoft.Extensions.Time.Testing;

namespace TaskRecovery.PostgreSql.Tests.Jobs;

/// <summary>How long starts are put off whose job stays locked.</summary>
public sealed class StartPutOffsTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly StartPutOffs _putOffs;
    private readonly Guid _job = Guid.NewGuid();

    public StartPutOffsTests() => _putOffs = new(_time);

    [Fact]
    public void The_wait_grows_with_the_time_for_which_the_job_has_been_locked()
    {
        var waits = new List<TimeSpan>();
        for (var time = 0; time < 8; time++)
        {
            // Several runs of the job, which are put off at the same moment.
            var wait = _putOffs.PutOff(_job);
            Assert.Equal(wait, _putOffs.PutOff(_job));
            waits.Add(wait);
            _time.Advance(wait + TimeSpan.FromSeconds(2));
        }

        Assert.Equal([1, 3, 8, 18, 30, 30, 30, 30], waits.Select(static wait => wait.TotalSeconds));
    }

    [Fact]
    public void It_is_short_again_once_the_job_was_free_or_has_not_been_tried_for_long_and_for_other_jobs()
    {
        _putOffs.PutOff(_job);
        _time.Advance(StartPutOffs.Longest);
        Assert.Equal(StartPutOffs.Longest, _putOffs.PutOff(_job));

        Assert.Equal(StartPutOffs.First, _putOffs.PutOff(Guid.NewGuid()));
        _putOffs.Forget(_job);
        Assert.Equal(StartPutOffs.First, _putOffs.PutOff(_job));
        _time.Advance(TimeSpan.FromMinutes(3));
        Assert.Equal(StartPutOffs.First, _putOffs.PutOff(_job));
    }
}
