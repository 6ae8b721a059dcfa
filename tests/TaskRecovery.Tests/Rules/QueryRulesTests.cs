using TaskRecovery.Rules;

namespace TaskRecovery.Tests.Rules;

/// <summary>A wrong condition is named with its value and the rule.</summary>
public sealed class QueryRulesTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 29, 12, 0, 0, TimeSpan.Zero);

    public static TheoryData<string, EntryQuery> Wrong => new()
    {
        { "Limit is '0': use 1 to 1,000", new() { Limit = 0 } },
        { "Limit is '1001': use 1 to 1,000", new() { Limit = 1001 } },
        { "MaxExamined is '0': use 1 to 1,000,000", new() { MaxExamined = 0 } },
        { "MaxExamined is '1000001'", new() { MaxExamined = 1_000_001 } },
        { "Kind is 'ma*il': '*' may only be its last character", new() { Kind = "ma*il" } },
        { "Kind is '': leave it null", new() { Kind = "" } },
        { "Text is '': leave it null", new() { Text = "" } },
        { "Queue is 'a\\u0000b': it has a NUL character", new() { Queue = "a\0b" } },
        { "it has 1,001 bytes, use at most 1,000", new() { Text = new string('x', 1001) } },
        { "States is '9': use one of Waiting, Running", new() { States = [(EntryState)9] } },
        { "CreatedTo is '2026-11-29T12:00:00.0000000+00:00': it must be later than "
            + "CreatedFrom", new() { CreatedFrom = Noon, CreatedTo = Noon } },
        { "EndedTo is", new() { EndedFrom = Noon, EndedTo = Noon.AddHours(-1) } },
        { "Metadata is 'k': give a value too", new() { Metadata = new("k", null!) } },
        { "Metadata is '': leave it null", new() { Metadata = new("", "v") } },
        { "TraceId is 'abc': use 32 hexadecimal digits", new() { TraceId = "abc" } },
        { "TraceId is 'xaf7651916cd43dd8448eb211c80319c'", new() { TraceId = "xaf7651916cd43dd8448eb211c80319c" } },
        { "Scope.Queues is ''", new() { Scope = new EntryScope { Queues = [""] } } },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void A_wrong_condition_is_named(string message, EntryQuery query)
    {
        var error = Assert.Throws<ArgumentException>(() => QueryRules.Check(query));

        Assert.StartsWith(
            message.StartsWith("it has", StringComparison.Ordinal) ? "Text is '" : message, error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_query_without_conditions_is_valid() => QueryRules.Check(new EntryQuery());

    [Theory]
    [InlineData("mail.*")]
    [InlineData("*")]
    [InlineData("mail")]
    public void A_kind_may_end_with_an_asterisk(string kind) => QueryRules.Check(new EntryQuery { Kind = kind });

    [Fact]
    public void Queries_for_events_tasks_and_jobs_are_checked_too()
    {
        Assert.Throws<ArgumentException>(() => QueryRules.Check(new EventQuery { Limit = 0 }));
        Assert.Throws<ArgumentException>(() => QueryRules.Check(new EventQuery { MaxExamined = 0 }));
        Assert.Throws<ArgumentException>(() => QueryRules.Check(new EventQuery { Kinds = [(QueueEventKind)99] }));
        Assert.Throws<ArgumentException>(() => QueryRules.Check(new TaskQuery { Limit = 2000 }));
        Assert.Throws<ArgumentException>(() => QueryRules.Check(new TaskQuery { State = (TaskState)7 }));
        Assert.Throws<ArgumentException>(() => QueryRules.Check(new LastTasksQuery { JobIds = [], Limit = 101 }));
        Assert.Throws<ArgumentException>(() => QueryRules.Check(new LastTasksQuery { JobIds = new Guid[1001] }));
        Assert.Throws<ArgumentException>(() => QueryRules.Check(new JobQuery { Limit = 1_001 }));
        Assert.Throws<ArgumentException>(() => QueryRules.Check(new JobQuery { MaxExamined = 0 }));
        Assert.Throws<ArgumentException>(() => QueryRules.Check(new JobQuery { NameContains = "" }));
        Assert.Throws<ArgumentException>(() => QueryRules.Check(new JobQuery { NameContains = "a\0b" }));
        Assert.Throws<ArgumentException>(() => QueryRules.Check(new JobQuery { NameContains = new string('x', 1_001) }));
        Assert.Throws<ArgumentException>(() => QueryRules.Check(new Guid[1_001]));
    }
}
