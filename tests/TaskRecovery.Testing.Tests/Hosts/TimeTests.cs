using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace TaskRecovery.Testing.Tests.Hosts;

/// <summary>How a test moves the time of the queue.</summary>
public sealed class TimeTests
{
    private readonly List<(int Number, TimeSpan At)> _seen = [];
    private TestApplication? _application;
    private DateTimeOffset _start;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Time_moves_from_due_time_to_due_time()
    {
        await using var application = await StartAsync(See);
        await EnqueueAsync(3, TimeSpan.FromMinutes(30));
        await EnqueueAsync(1, TimeSpan.FromMinutes(10));
        await EnqueueAsync(4, TimeSpan.FromMinutes(61));
        await EnqueueAsync(2, TimeSpan.FromMinutes(20));

        var drained = await application.Test.AdvanceAsync(TimeSpan.FromHours(1), cancellationToken: Cancellation);

        Assert.Equal([(1, Minutes(10)), (2, Minutes(20)), (3, Minutes(30))], _seen);
        Assert.Equal(3, drained.Runs.Count);
        Assert.Equal(TimeSpan.FromHours(1), Rounded(application.Test.Now - _start));
    }

    [Fact]
    public async Task Without_an_advance_time_stands_still()
    {
        await using var application = await StartAsync(See);

        var before = application.Test.Now;
        await application.Test.AdvanceAsync(TimeSpan.Zero, cancellationToken: Cancellation);

        Assert.Equal(before, application.Test.Now);
    }

    [Fact]
    public async Task A_snoozed_entry_runs_again_when_it_is_due()
    {
        await using var application = await StartAsync(context =>
        {
            if (_seen.Count < 3)
            {
                context.Snooze(TimeSpan.FromMinutes(5));
            }

            See(context);
        });
        await EnqueueAsync(1, TimeSpan.Zero);

        await application.Test.AdvanceAsync(TimeSpan.FromHours(1), cancellationToken: Cancellation);

        Assert.Equal([TimeSpan.Zero, Minutes(5), Minutes(10), Minutes(15)], _seen.Select(run => run.At));
    }

    [Fact]
    public async Task A_job_runs_at_each_of_its_due_times()
    {
        await using var application = await StartAsync(
            _ => { },
            register: builder =>
            {
                builder.Services.AddSingleton(new ActionHandler<Hours>((context, _) =>
                {
                    _seen.Add((context.Args.Every, Rounded(_application!.Test.Now - _start)));
                    return Task.CompletedTask;
                }));
                builder.AddTaskHandler<Hours, ActionHandler<Hours>>().AddIntervalJob("hourly", TimeSpan.FromHours(1), new Hours(1));
            });

        await application.Test.AdvanceAsync(TimeSpan.FromHours(3), cancellationToken: Cancellation);

        Assert.Equal([TimeSpan.Zero, Minutes(60), Minutes(120), Minutes(180)], _seen.Select(run => run.At));
    }

    [Fact]
    public async Task A_fake_time_provider_is_the_time_of_the_queue_and_of_the_application()
    {
        var fake = new FakeTimeProvider(new DateTimeOffset(2026, 3, 28, 0, 0, 0, TimeSpan.Zero));
        await using var application = await StartAsync(See, options => options.Time = fake);
        await EnqueueAsync(1, TimeSpan.FromDays(1));

        Assert.Equal(fake.GetUtcNow(), application.Test.Now);
        Assert.Same(fake, application.Services.GetRequiredService<TimeProvider>());
        await application.Test.AdvanceAsync(TimeSpan.FromDays(2), cancellationToken: Cancellation);

        Assert.Equal([(1, TimeSpan.FromDays(1))], _seen);
        Assert.Equal(new DateTimeOffset(2026, 3, 30, 0, 0, 0, TimeSpan.Zero), fake.GetUtcNow());
    }

    [Fact]
    public async Task A_fake_time_provider_of_the_application_is_found()
    {
        var fake = new FakeTimeProvider();
        await using var application = await StartAsync(See, register: builder => builder.Services.AddSingleton<TimeProvider>(fake));

        await application.Test.AdvanceAsync(TimeSpan.FromDays(1), cancellationToken: Cancellation);

        Assert.Equal(fake.GetUtcNow(), application.Test.Now);
    }

    [Fact]
    public async Task A_clock_that_can_t_be_advanced_says_so()
    {
        await using var application = await StartAsync(See, options => options.Time = new FixedTime());

        var error = await Assert.ThrowsAsync<InvalidOperationException>(
            () => application.Test.AdvanceAsync(TimeSpan.FromDays(1), cancellationToken: Cancellation));

        Assert.Contains("has no method Advance(TimeSpan)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_entry_that_is_due_by_the_application_s_time_runs_when_the_test_has_advanced_to_it()
    {
        await using var application = await StartAsync(See);
        var time = application.Services.GetRequiredService<TimeProvider>();
        await EnqueueAtAsync(1, time.GetUtcNow());
        await EnqueueAtAsync(2, time.GetUtcNow() + TimeSpan.FromHours(1));

        await application.Test.DrainAsync(cancellationToken: Cancellation);
        Assert.Equal([(1, TimeSpan.Zero)], _seen);
        await application.Test.AdvanceAsync(TimeSpan.FromHours(1), cancellationToken: Cancellation);

        Assert.Equal([(1, TimeSpan.Zero), (2, Minutes(60))], _seen);
        Assert.Equal(application.Test.Now, time.GetUtcNow());
    }

    [Fact]
    public async Task The_application_s_own_delays_end_in_real_time()
    {
        await using var application = await StartAsync(See);
        var time = application.Services.GetRequiredService<TimeProvider>();

        await Task.Delay(TimeSpan.FromMilliseconds(1), time, Cancellation);
        await application.Test.AdvanceAsync(TimeSpan.FromDays(1), cancellationToken: Cancellation);

        Assert.Equal(application.Test.Now, time.GetUtcNow());
    }

    private static TimeSpan Minutes(int minutes) => TimeSpan.FromMinutes(minutes);

    // A step of the clock is rounded up to microseconds.
    private static TimeSpan Rounded(TimeSpan time) => TimeSpan.FromMilliseconds(Math.Floor(time.TotalMilliseconds));

    private async Task EnqueueAsync(int number, TimeSpan after)
        => await _application!.Queue.EnqueueAsync(new Numbers(number), new EnqueueOptions { RunAfter = after }, Cancellation);

    private async Task EnqueueAtAsync(int number, DateTimeOffset at)
        => await _application!.Queue.EnqueueAsync(new Numbers(number), new EnqueueOptions { RunAt = at }, Cancellation);

    private void See(WorkContext<Numbers> context) => _seen.Add((context.Args.First, Rounded(_application!.Test.Now - _start)));

    private async Task<TestApplication> StartAsync(
        Action<WorkContext<Numbers>> work, Action<TaskRecoveryTestingOptions>? configure = null,
        Action<TaskRecoveryBuilder>? register = null)
    {
        _application = await TestApplication.StartAsync(
            (context, _) =>
            {
                work(context);
                return Task.CompletedTask;
            },
            configure,
            register);
        _start = _application.Test.Now;
        return _application;
    }

    [JobKind("hours")]
    private sealed record Hours(int Every);

    private sealed class FixedTime : TimeProvider;
}
