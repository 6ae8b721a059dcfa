using System.Text;
using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Storage;

/// <summary>What a store's records say in a log: names, and nothing of what an application stores.</summary>
public sealed class RecordTextTests
{
    private const string Secret = "hunter2";

    private static readonly ReadOnlyMemory<byte> Json = Encoding.UTF8.GetBytes($"\"{Secret}\"");

    public static TheoryData<object, string> Records => new()
    {
        {
            new NewEntry { Kind = "mail", Queue = "fast", Priority = 5, MaxAttempts = 1, Args = Json,
                UniqueKey = Secret, Metadata = $"{{\"a\":\"{Secret}\"}}", TraceParent = Secret },
            "New entry (mail, queue fast)"
        },
        { new NewJob(new JobDefinition(
            "digest", Schedule.Every(TimeSpan.FromDays(1))), "mail", "task:mail", Json, 1), "Job digest (mail)" },
        { new StoredProgress(
            new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal) { [Secret] = Json }, Json), "1 steps, a checkpoint" },
        { new ClaimedEnqueue([new EnqueueResult(1, false)], ClaimBatch.Empty), "ClaimedEnqueue { Results = TaskRecovery.EnqueueResult[]" },
    };

    [Theory]
    [MemberData(nameof(Records))]
    public void A_record_names_what_it_is_about_and_shows_no_content(object record, string expected)
    {
        var text = record.ToString();

        Assert.StartsWith(expected, text, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, text, StringComparison.Ordinal);
    }
}
