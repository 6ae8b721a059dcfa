using TaskRecovery.Nodes;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Nodes;

/// <summary>What a node knows of its claims.</summary>
public sealed class ClaimBookTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly Node _life;

    public ClaimBookTests()
    {
        _life = new Node(Guid.NewGuid(), "node", _time);
        Grant();
    }

    private ClaimBook Book => _life.Claims;

    [Fact]
    public void An_accepted_claim_is_known_until_it_is_forgotten()
    {
        var ticket = Book.Begin(_life.Lease!);
        Assert.Equal(ClaimAnswer.Accepted, Book.End(ticket, fence: 5));

        Assert.Equal(Nothing, Book.Unknown([5], Book.LastCall));
        Book.Forget(5);

        Assert.Equal([5L], Book.Unknown([5], Book.LastCall));
    }

    [Fact]
    public void An_answer_after_the_deadline_is_not_started_and_is_unknown()
    {
        var ticket = Book.Begin(_life.Lease!);
        _time.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal(ClaimAnswer.TooLate, Book.End(ticket, fence: 5));

        Assert.Equal([5L], Book.Unknown([5], Book.LastCall));
    }

    [Fact]
    public void An_answer_to_a_claim_of_a_lost_lease_is_not_started_although_there_is_a_new_one()
    {
        var ticket = Book.Begin(_life.Lease!);
        _time.Advance(TimeSpan.FromSeconds(3));
        Grant();

        Assert.Equal(ClaimAnswer.TooLate, Book.End(ticket, fence: 5));
    }

    [Fact]
    public void A_claim_that_is_not_greater_than_one_seen_before_means_that_the_database_went_back()
    {
        Book.End(Book.Begin(_life.Lease!), fence: 5);

        var answer = Book.End(Book.Begin(_life.Lease!), fence: 5);

        Assert.Equal(ClaimAnswer.WentBackInTime, answer);
    }

    [Fact]
    public void Answers_of_two_claimers_that_overtake_each_other_are_no_sign_of_that()
    {
        var first = Book.Begin(_life.Lease!);
        var second = Book.Begin(_life.Lease!);

        Assert.Equal(ClaimAnswer.Accepted, Book.End(second, fence: 6));
        Assert.Equal(ClaimAnswer.Accepted, Book.End(first, fence: 5));
    }

    [Fact]
    public void A_claim_that_found_nothing_is_fine()
    {
        Book.End(Book.Begin(_life.Lease!), fence: 5);

        Assert.Equal(ClaimAnswer.Accepted, Book.End(Book.Begin(_life.Lease!), fence: 0));
        Assert.Equal(1, Book.Count);
    }

    [Fact]
    public void Nothing_is_unknown_while_a_call_that_may_be_its_answer_is_under_way()
    {
        var ticket = Book.Begin(_life.Lease!);
        var lastCall = Book.LastCall;

        Assert.Null(Book.Unknown([5], lastCall));
        Book.Abandon(ticket);

        Assert.Equal([5L], Book.Unknown([5], lastCall));
    }

    [Fact]
    public void A_call_that_began_after_the_list_was_read_does_not_matter_to_it()
    {
        var lastCall = Book.LastCall;
        Book.Begin(_life.Lease!);

        Assert.Equal([5L], Book.Unknown([5], lastCall));
    }

    private static long[] Nothing => [];

    private void Grant() => _life.Extend(_time.GetTimestamp() + TimeSpan.FromSeconds(2.5).Ticks);
}
