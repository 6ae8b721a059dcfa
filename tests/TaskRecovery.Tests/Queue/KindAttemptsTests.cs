using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Kinds;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Queue;

/// <summary>How many attempts an entry has is decided where it is enqueued.</summary>
public sealed class KindAttemptsTests
{
    private readonly FakeQueueStore _store = new();

    [Theory]
    [InlineData(null, 10)]
    [InlineData(20, 20)]
    public async Task An_entry_has_the_attempts_of_the_process_that_enqueues_it_and_not_those_of_a_worker_elsewhere(
        int? maxAttempts, int stored)
    {
        await using var worker = WorkHost.Create(_store, static builder =>
        {
            builder.Services.AddSingleton(new TestWork());
            builder.AddWorker<TestArgs, TestWorker>(static options => options.MaxAttempts = 3);
        });
        await using var producer = WorkHost.Create(_store, builder => builder.AddKind<TestArgs>(maxAttempts: maxAttempts));

        var there = await producer.Queue.EnqueueAsync(new TestArgs());
        var here = await worker.Queue.EnqueueAsync(new TestArgs());
        var own = await producer.Queue.EnqueueAsync(new TestArgs(), new EnqueueOptions { MaxAttempts = 7 });

        Assert.Equal(
            (stored, 3, 7),
            (_store.Entry(there.Id).Stored.MaxAttempts, _store.Entry(here.Id).Stored.MaxAttempts, _store.Entry(own.Id).Stored.MaxAttempts));
    }

    [Fact]
    public async Task A_kind_that_only_its_attribute_names_has_ten_attempts()
    {
        await using var producer = WorkHost.Create(_store, static _ => { });

        var (id, _) = await producer.Queue.EnqueueAsync(new TestArgs());

        Assert.Equal(10, _store.Entry(id).Stored.MaxAttempts);
    }

    [Fact]
    public void The_options_of_a_worker_win_whatever_the_order()
    {
        var first = new ServiceCollection().AddTaskRecovery();
        first.AddKind<TestArgs>(maxAttempts: 20).AddWorker<TestArgs, TestWorker>(static options => options.MaxAttempts = 3);
        var last = new ServiceCollection().AddTaskRecovery();
        last.AddWorker<TestArgs, TestWorker>(static options => options.MaxAttempts = 3).AddKind<TestArgs>(maxAttempts: 20);
        var unset = new ServiceCollection().AddTaskRecovery();
        unset.AddKind<TestArgs>(maxAttempts: 20).AddWorker<TestArgs, TestWorker>().AddKind<TestArgs>();

        Assert.Equal([3, 3, 20], new[] { first, last, unset }.Select(AttemptsOf));
    }

    [Fact]
    public void The_code_wins_over_configuration()
    {
        var section = new ConfigurationBuilder()
            .AddInMemoryCollection([new("Workers:test.work:MaxAttempts", "4"), new("Workers:test.other:MaxAttempts", "5")]).Build();
        var builder = new ServiceCollection().AddTaskRecovery(section);
        builder.AddKind<TestArgs>(maxAttempts: 20).AddKind<OtherArgs>();
        using var services = builder.Services.BuildServiceProvider();
        var kinds = services.GetRequiredService<KindRegistry>();

        Assert.Equal(
            (20, 5), (kinds.Find("test.work")!.Options.MaxAttempts, kinds.Find("test.other")!.Options.MaxAttempts));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1_001)]
    public void A_number_out_of_range_is_refused(int maxAttempts)
    {
        var refused = Assert.Throws<ArgumentOutOfRangeException>(
            () => new ServiceCollection().AddTaskRecovery().AddKind<TestArgs>(maxAttempts: maxAttempts));

        Assert.Contains($"TestArgs is {maxAttempts}: use 1 to 1,000", refused.Message, StringComparison.Ordinal);
    }

    private static int AttemptsOf(TaskRecoveryBuilder builder)
    {
        using var services = builder.Services.BuildServiceProvider();
        return services.GetRequiredService<KindRegistry>().Find("test.work")!.Options.MaxAttempts;
    }
}
