using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Queue;

/// <summary>Bad input gets a clear exception with its value and what to do, and nothing is stored.</summary>
public sealed class BadInputTests : IAsyncDisposable
{
    private readonly FakeQueueStore _store = new();
    private readonly WorkHost _host;

    public BadInputTests()
        => _host = WorkHost.Create(_store, builder => builder.AddKind<TestArgs>(), options => options.MaxArgsBytes = 1_000);

    public static TheoryData<EnqueueOptions, string, string> BadOptions => new()
    {
        { new EnqueueOptions { RunAfter = TimeSpan.FromSeconds(-1) }, "-00:00:01", "use zero to" },
        { new EnqueueOptions { RunAt = DateTimeOffset.MaxValue }, "9999-12-31", "use a time before 9000-01-01" },
        { new EnqueueOptions { UniqueKey = "a\uD83Db" }, "surrogate", "remove it" },
        { new EnqueueOptions { Queue = "a\uD83Db" }, "surrogate", "remove it" },
        { new EnqueueOptions { Priority = 10 }, "10", "use 0 (the most urgent) to 9" },
        { new EnqueueOptions { Priority = -1 }, "-1", "use 0 (the most urgent) to 9" },
        { new EnqueueOptions { MaxAttempts = 0 }, "0", "use 1 to 1,000" },
        { new EnqueueOptions { MaxAttempts = 1_001 }, "1001", "use 1 to 1,000" },
        { new EnqueueOptions { Timeout = TimeSpan.Zero }, "00:00:00", "use at least a microsecond" },
        { new EnqueueOptions { Timeout = TimeSpan.FromTicks(9) }, "00:00:00.0000009", "use at least a microsecond" },
        { new EnqueueOptions { UniqueKey = new string('k', 256) }, "256 bytes", "shorten it" },
        { new EnqueueOptions { UniqueKey = new string('é', 128) }, "256 bytes", "shorten it" },
        { new EnqueueOptions { UniqueKey = string.Empty }, "empty", "or null for no key" },
        { new EnqueueOptions { UniqueKey = "a\0b" }, "a\\u0000b", "remove it" },
        { new EnqueueOptions { UniqueKey = "a\r\nb" }, "a\\u000D\\u000Ab", "remove it" },
        { new EnqueueOptions { Queue = "a\u001B[2Jb" }, "a\\u001B[2Jb", "remove it" },
        { new EnqueueOptions { Queue = "a\u202Eb" }, "a\\u202Eb", "remove it" },
        { new EnqueueOptions { Queue = " " }, "' '", "is empty" },
        { new EnqueueOptions { Queue = new string('q', 101) }, "qqq", "at most 100 bytes" },
        { new EnqueueOptions { Queue = "a\0b" }, "a\\u0000b", "remove it" },
        { new EnqueueOptions { RunAfter = TimeSpan.FromSeconds(1), RunAt = DateTimeOffset.UnixEpoch }, "00:00:01", "set one of them" },
        { new EnqueueOptions { ExpiresAt = DateTimeOffset.MaxValue }, "9999-12-31", "use a time before 9000-01-01" },
        { new EnqueueOptions
        {
            RunAt = DateTimeOffset.UnixEpoch.AddDays(1),
            ExpiresAt = DateTimeOffset.UnixEpoch.AddDays(1),
        }, "1970-01-02", "use a later time" },
        { new EnqueueOptions
        {
            Metadata = new Dictionary<string, string> { ["name"] = "secret\0" },
        }, "'name' has a NUL character", "without NUL" },
        { new EnqueueOptions { Metadata = new Dictionary<string, string> { ["name"] = null! } }, "null", "without NUL" },
    };

    [Theory]
    [MemberData(nameof(BadOptions))]
    public async Task An_option_that_can_t_be_stored_is_refused(EnqueueOptions options, string value, string remedy)
    {
        var exception = await Assert.ThrowsAnyAsync<ArgumentException>(async () => await _host.Queue.EnqueueAsync(new TestArgs(), options));

        Assert.Equal("options", exception.ParamName);
        Assert.Contains(value, exception.Message, StringComparison.Ordinal);
        Assert.Contains(remedy, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(exception.Message, character => char.IsControl(character) && character is not '\r' and not '\n');
        Assert.Empty(_store.Entries);
    }

    [Fact]
    public void What_the_application_stored_is_not_part_of_a_text()
    {
        const string secret = "secret";
        var entry = new QueueEntry
        {
            Id = 7,
            Kind = "mail\nsend",
            Queue = "default",
            Priority = 5,
            Args = secret,
            State = EntryState.Failed,
            Attempt = 1,
            MaxAttempts = 3,
            Crashes = 0,
            CreatedAt = default,
            UniqueKey = secret,
            Metadata = new Dictionary<string, string> { [secret] = secret },
            Result = secret,
            Error = secret,
        };
        var job = new Job
        {
            Id = Guid.Empty,
            Name = "digest",
            Kind = "mail.digest",
            Args = secret,
            Schedule = Schedule.Every(TimeSpan.FromMinutes(1)),
            State = JobState.Active,
            Queue = "default",
        };
        var task = new TaskRecord { Id = Guid.Empty, JobId = Guid.Empty, State = TaskState.Failed, Result = secret, Error = secret };
        var options = new EnqueueOptions { UniqueKey = secret, Metadata = new Dictionary<string, string> { [secret] = secret } };

        Assert.All(new object[] { entry, job, task, options }, item => Assert.DoesNotContain(
            secret, item.ToString(), StringComparison.Ordinal));
        Assert.Equal("Entry 7 (mail\\u000Asend, queue default): Failed, attempt 1 of 3", entry.ToString());
    }

    [Fact]
    public async Task Arguments_over_the_size_limit_are_refused()
    {
        var exception = await Assert.ThrowsAsync<ArgumentException>(
            async () => await _host.Queue.EnqueueAsync(new TestArgs(1, new string('x', 1_000))));

        Assert.Contains("1,022 bytes", exception.Message, StringComparison.Ordinal);
        Assert.Contains("MaxArgsBytes", exception.Message, StringComparison.Ordinal);
        Assert.Empty(_store.Entries);
    }

    [Theory]
    [InlineData("a\0b", false)]
    [InlineData("\\u0000", true)]
    [InlineData("\\\0", false)]
    public async Task Arguments_with_a_NUL_character_are_refused_and_text_that_only_looks_like_one_is_not(string text, bool isGood)
    {
        var exception = await Record.ExceptionAsync(async () => await _host.Queue.EnqueueAsync(new TestArgs(1, text)));

        Assert.Equal(isGood, exception is null);
        Assert.Equal(isGood ? 1 : 0, _store.Entries.Count);
    }

    [Fact]
    public async Task A_type_that_is_not_registered_is_refused_and_the_message_says_how_to_register_it()
    {
        var exception = await Assert.ThrowsAsync<KindNotRegisteredException>(async () => await _host.Queue.EnqueueAsync(new Nameless(1)));

        Assert.Equal(typeof(Nameless), exception.ArgsType);
        Assert.Contains("AddKind<Nameless>()", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_type_that_only_its_attribute_names_is_stored_with_that_kind()
    {
        var one = await _host.Queue.EnqueueAsync(new OtherArgs(1));
        var many = await _host.Queue.EnqueueManyAsync([EnqueueRequest.Create(new OtherArgs(2)), EnqueueRequest.Create(new TestArgs(3))]);

        Assert.Equal(
            ["test.other", "test.other", "test.work"],
            new[] { one.Id, many[0].Id, many[1].Id }.Select(id => _store.Entry(id).Stored.Kind));
    }

    [Fact]
    public async Task A_type_whose_attribute_names_the_kind_of_another_type_is_refused()
    {
        await _host.Queue.EnqueueAsync(new OtherArgs(1));

        var registered = await Assert.ThrowsAsync<InvalidOperationException>(
            async () => await _host.Queue.EnqueueAsync(new SecondTestArgs(1)));
        var enqueued = await Assert.ThrowsAsync<InvalidOperationException>(
            async () => await _host.Queue.EnqueueAsync(new SecondOtherArgs(1)));

        Assert.Contains("'test.work' is registered twice", registered.Message, StringComparison.Ordinal);
        Assert.Contains("'test.other' is registered twice", enqueued.Message, StringComparison.Ordinal);
        Assert.Single(_store.Entries);
    }

    [Fact]
    public async Task A_type_that_only_a_task_handler_runs_is_refused_and_the_message_says_how_to_run_it()
    {
        await using var host = WorkHost.Create(_store, static builder => builder.AddTaskHandler<OtherArgs, OtherHandler>());

        var refused = await Assert.ThrowsAsync<KindNotRegisteredException>(async () => await host.Queue.EnqueueAsync(new OtherArgs(1)));

        Assert.Equal(typeof(OtherArgs), refused.ArgsType);
        Assert.Contains("the arguments type of a task handler", refused.Message, StringComparison.Ordinal);
        Assert.Contains("IJobService.TriggerNowAsync", refused.Message, StringComparison.Ordinal);
        Assert.Contains("AddWorker<OtherArgs, TWorker>()", refused.Message, StringComparison.Ordinal);
        Assert.Empty(_store.Entries);
    }

    [Fact]
    public async Task Many_entries_are_all_stored_or_none()
    {
        var requests =
            new[] { EnqueueRequest.Create(new TestArgs(1)), EnqueueRequest.Create(new TestArgs(2), new EnqueueOptions { Priority = 11 }) };

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await _host.Queue.EnqueueManyAsync(requests));

        Assert.Empty(_store.Entries);
    }

    [Fact]
    public async Task Metadata_is_limited_to_16_KiB()
    {
        var exception = await Assert.ThrowsAsync<ArgumentException>(async () => await _host.Queue.EnqueueAsync(
            new TestArgs(), new EnqueueOptions { Metadata = new Dictionary<string, string> { ["trail"] = new('x', 16 * 1024) } }));

        Assert.Contains("16,384", exception.Message, StringComparison.Ordinal);
        Assert.Empty(_store.Entries);
    }

    [Fact]
    public async Task Null_arguments_are_refused()
        => await Assert.ThrowsAsync<ArgumentNullException>(async () => await _host.Queue.EnqueueAsync<TestArgs>(null!));

    [Fact]
    public async Task A_list_has_a_limit_between_1_and_1000()
        => await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            async () => await _host.Queue.ListAsync(new EntryFilter { Limit = 1_001 }));

    [Fact]
    public async Task Single_enqueues_that_wait_at_the_same_moment_share_a_round_trip_and_get_their_own_ids()
    {
        var results = await Task.WhenAll(
            Enumerable.Range(0, 200).Select(number => _host.Queue.EnqueueAsync(new TestArgs(number)).AsTask()));

        Assert.Equal(200, results.Select(result => result.Id).Distinct().Count());
        Assert.InRange(_store.CallsOf("enqueue"), 1, 199);
    }

    [Fact]
    public async Task A_held_unique_key_returns_the_entry_that_holds_it()
    {
        var options = new EnqueueOptions { UniqueKey = "order-7" };

        var first = await _host.Queue.EnqueueAsync(new TestArgs(1), options);
        var second = await _host.Queue.EnqueueAsync(new TestArgs(2), options);

        Assert.Equal(new EnqueueResult(first.Id, true), second);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private sealed record Nameless(int Number);

    [JobKind("test.work")]
    private sealed record SecondTestArgs(int Number);

    [JobKind("test.other")]
    private sealed record SecondOtherArgs(int Number);

    private sealed class OtherHandler : ITaskHandler<OtherArgs>
    {
        public Task RunAsync(TaskContext<OtherArgs> context, CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
