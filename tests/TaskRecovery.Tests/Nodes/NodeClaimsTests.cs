using TaskRecovery.Nodes;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Nodes;

/// <summary>What a node knows of its claims.</summary>
public sealed class NodeClaimsTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly Node _life;

    public NodeClaimsTests()
    {
        _life = new Node(Guid.NewGuid(), "node", _time);
        Grant();
    }

    private NodeClaims Claims => _life.Claims;

    [Fact]
    public void An_accepted_claim_is_known_until_its_last_entry_is_settled()
    {
        var claim = Accept(fence: 5, entries: 3);

        Assert.Equal(Nothing, Claims.Unknown([5], Claims.LastCall));
        claim.Settle(2);
        Assert.Equal(Nothing, Claims.Unknown([5], Claims.LastCall));
        claim.Settle(1);

        Assert.Equal([5L], Claims.Unknown([5], Claims.LastCall));
    }

    [Fact]
    public void Settled_claims_are_handed_out_for_removal_once_and_again_after_a_failure()
    {
        Accept(fence: 5, entries: 1).Settle(1);
        Accept(fence: 6, entries: 2).Settle(2);
        Accept(fence: 7, entries: 2).Settle(1);

        var settled = Claims.TakeSettled();
        Assert.Equal([5L, 6], settled);
        Assert.Equal(Nothing, Claims.TakeSettled());
        Claims.PutBack(settled);

        Assert.Equal([5L, 6], Claims.TakeSettled());
        Assert.Equal(1, Claims.Count);
    }

    [Fact]
    public void A_claim_without_entries_is_settled_at_once()
    {
        var claim = Accept(fence: 5, entries: 0);

        Assert.Null(claim);
        Assert.Equal(0, Claims.Count);
        Assert.Equal([5L], Claims.TakeSettled());
    }

    [Fact]
    public void An_answer_after_the_deadline_is_not_started_and_is_unknown()
    {
        var ticket = Claims.Begin(_life.Lease!);
        _time.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal(ClaimAnswer.TooLate, Claims.End(ticket, fence: 5));

        Assert.Equal([5L], Claims.Unknown([5], Claims.LastCall));
    }

    [Fact]
    public void An_answer_to_a_claim_of_a_lost_lease_is_not_started_although_there_is_a_new_one()
    {
        var ticket = Claims.Begin(_life.Lease!);
        _time.Advance(TimeSpan.FromSeconds(3));
        Grant();

        Assert.Equal(ClaimAnswer.TooLate, Claims.End(ticket, fence: 5));
    }

    [Fact]
    public void A_claim_that_is_not_greater_than_one_seen_before_means_that_the_database_went_back()
    {
        Claims.End(Claims.Begin(_life.Lease!), fence: 5);

        var answer = Claims.End(Claims.Begin(_life.Lease!), fence: 5);

        Assert.Equal(ClaimAnswer.LostCommits, answer);
    }

    [Fact]
    public void Answers_of_two_claimers_that_overtake_each_other_are_no_sign_of_that()
    {
        var first = Claims.Begin(_life.Lease!);
        var second = Claims.Begin(_life.Lease!);

        Assert.Equal(ClaimAnswer.Accepted, Claims.End(second, fence: 6));
        Assert.Equal(ClaimAnswer.Accepted, Claims.End(first, fence: 5));
    }

    [Fact]
    public void A_claim_that_found_nothing_is_fine()
    {
        Claims.End(Claims.Begin(_life.Lease!), fence: 5);

        Assert.Equal(ClaimAnswer.Accepted, Claims.End(Claims.Begin(_life.Lease!), fence: 0));
        Assert.Equal(1, Claims.Count);
    }

    [Fact]
    public void Nothing_is_unknown_while_a_call_that_may_be_its_answer_is_under_way()
    {
        var ticket = Claims.Begin(_life.Lease!);
        var lastCall = Claims.LastCall;

        Assert.Null(Claims.Unknown([5], lastCall));
        Claims.Abandon(ticket);

        Assert.Equal([5L], Claims.Unknown([5], lastCall));
    }

    [Fact]
    public void A_call_that_began_after_the_list_was_read_does_not_matter_to_it()
    {
        var lastCall = Claims.LastCall;
        Claims.Begin(_life.Lease!);

        Assert.Equal([5L], Claims.Unknown([5], lastCall));
    }

    private static long[] Nothing => [];

    private NodeClaim Accept(long fence, int entries) => _life.Lease!.Accept(fence, entries);

    private void Grant() => _life.Extend(_time.GetTimestamp() + TimeSpan.FromSeconds(2.5).Ticks);
}
