using TaskRecovery.Nodes;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Nodes;

/// <summary>A lease is valid by the clock alone, and once lost it never comes back.</summary>
public sealed class NodeTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly Node _life;

    public NodeTests() => _life = new Node(Guid.NewGuid(), "node", _time);

    [Fact]
    public void A_life_has_no_lease_before_its_first_accepted_heartbeat()
    {
        Assert.Null(_life.Lease);
        Assert.Equal(LeaseChange.Granted, Extend(seconds: 2.5));
        Assert.True(_life.Lease!.IsValid);
    }

    [Fact]
    public void A_lease_is_over_at_its_deadline_although_nothing_has_run()
    {
        Extend(seconds: 2.5);
        var lease = _life.Lease!;

        _time.Advance(TimeSpan.FromSeconds(2.5));

        Assert.False(lease.IsValid);
        Assert.Null(_life.Lease);
    }

    [Fact]
    public async Task A_lease_that_is_lost_while_no_thread_can_be_started_is_cancelled_all_the_same()
    {
        Extend(seconds: 2.5);
        var lease = _life.Lease!;
        lease.StartThread = NoThread.Start;

        Assert.True(_life.EndWith(NodeEnd.DeclaredDead));

        await lease.Lost.FiresAsync();
        Assert.Null(_life.Lease);
    }

    [Fact]
    public void An_accepted_heartbeat_moves_the_deadline()
    {
        Extend(seconds: 2.5);
        var lease = _life.Lease!;
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(LeaseChange.None, Extend(seconds: 2.5));
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Same(lease, _life.Lease);
    }

    [Fact]
    public async Task After_a_pause_the_deadline_comes_before_the_heartbeat_that_waited()
    {
        Extend(seconds: 2.5);
        var before = _life.Lease!;
        _time.Advance(TimeSpan.FromSeconds(60));

        var change = Extend(seconds: 2.5);

        Assert.Equal(LeaseChange.LostAndGranted, change);
        Assert.False(before.IsValid);
        await before.Lost.FiresAsync();
        Assert.True(_life.Lease!.IsValid);
        Assert.False(_life.Lease.Lost.IsCancellationRequested);
    }

    [Fact]
    public void A_beat_whose_answer_took_longer_than_the_deadline_gives_no_lease()
    {
        Assert.Equal(LeaseChange.None, Extend(seconds: -0.1));
        Assert.Null(_life.Lease);
    }

    [Fact]
    public async Task The_deadline_cancels_the_token_on_a_thread_outside_the_pool()
    {
        Extend(seconds: 2.5);
        var onPool = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = _life.Lease!.Lost.Register(() => onPool.SetResult(Thread.CurrentThread.IsThreadPoolThread));
        _time.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal(LeaseChange.Lost, _life.CheckDeadline(out var next));

        Assert.Null(next);
        Assert.False(await onPool.Task.WaitAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_callback_that_throws_does_not_keep_others_from_hearing()
    {
        Extend(seconds: 2.5);
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var last = _life.Lease!.Lost.Register(heard.SetResult);
        using var first = _life.Lease!.Lost.Register(() => throw new InvalidOperationException("a user's callback"));
        _time.Advance(TimeSpan.FromSeconds(3));

        _life.CheckDeadline(out _);

        await heard.Task.WaitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task The_end_of_a_life_ends_its_lease_and_no_heartbeat_brings_it_back()
    {
        Extend(seconds: 2.5);
        var lease = _life.Lease!;

        Assert.True(_life.EndWith(NodeEnd.DeclaredDead));
        Assert.False(_life.EndWith(NodeEnd.Left));

        Assert.False(lease.IsValid);
        await lease.Lost.FiresAsync();
        await _life.Ended.FiresAsync();
        Assert.Equal(LeaseChange.None, Extend(seconds: 2.5));
        Assert.Null(_life.Lease);
        Assert.Equal(NodeEnd.DeclaredDead, _life.End);
    }

    private LeaseChange Extend(double seconds) => _life.Extend(_time.GetTimestamp() + TimeSpan.FromSeconds(seconds).Ticks);
}
