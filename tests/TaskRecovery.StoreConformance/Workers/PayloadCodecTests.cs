using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Workers;

/// <summary>With a codec, a store never holds a payload in plain text, and the application sees nothing else.</summary>
public abstract class PayloadCodecTests(StoreFixture fixture) : StoreTests(fixture)
{
    private const string Secret = "attack at dawn, in zürich";

    [Fact]
    public async Task Everything_that_a_worker_stores_is_encoded_and_read_back_after_a_retry()
    {
        var seen = new Seen();
        using var host = GivenHost(seen, static builder => builder.AddPayloadCodec<Letter, TestCipher>());
        await host.StartAsync(Cancellation);

        var (id, _) = await host.Services.GetRequiredService<IJobQueue>().EnqueueAsync(new Letter(Secret), cancellationToken: Cancellation);
        await seen.FirstAttempt.Task.WaitAsync(Cancellation);
        var waiting = await FindAsync(id);
        var progress = await Store.LoadProgressAsync(new ProgressKey(id, null), Cancellation);
        seen.MayFail.SetResult();
        await seen.Done.Task.WaitAsync(Cancellation);
        await host.StopAsync(Cancellation);
        var ended = await FindAsync(id);

        var reader = host.Services.GetRequiredService<IPayloadReader>();
        Assert.Equal($"step {Secret}, checkpoint {Secret}, args {Secret}", seen.Done.Task.Result);
        string?[] stored = [waiting.Args, ended.Args, ended.Result, Text(progress.Steps["read"]), Text(progress.Checkpoint!.Value)];
        Assert.All(stored, static text => Assert.StartsWith("\"$codec:test-cipher:", text, StringComparison.Ordinal));
        Assert.All(stored, text => Assert.Contains(
            Secret, reader.Read(text!).Replace("\\u00FC", "ü", StringComparison.Ordinal), StringComparison.Ordinal));
        Assert.Equal(EntryState.Completed, ended.State);
    }

    [Fact]
    public async Task Payloads_that_were_stored_before_the_kind_had_a_codec_are_read()
    {
        var seen = new Seen();
        seen.MayFail.SetResult();
        long id;
        using (var before = GivenHost(seen, static _ => { }, works: false))
        {
            (id, _) = await before.Services.GetRequiredService<IJobQueue>().EnqueueAsync(
                new Letter(Secret), cancellationToken: Cancellation);
        }

        using var host = GivenHost(seen, static builder => builder.AddPayloadCodec<Letter, TestCipher>());
        await host.StartAsync(Cancellation);
        await seen.Done.Task.WaitAsync(Cancellation);
        await host.StopAsync(Cancellation);

        Assert.DoesNotContain("$codec", (await FindAsync(id)).Args, StringComparison.Ordinal);
        Assert.Contains(Secret, seen.Done.Task.Result, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_attempt_whose_codec_is_missing_is_retried_and_never_sees_other_arguments()
    {
        var seen = new Seen();
        long id;
        using (var other = GivenHost(seen, static builder => builder.AddPayloadCodec<Letter, TestCipher>(), works: false))
        {
            (id, _) = await other.Services.GetRequiredService<IJobQueue>().EnqueueAsync(
                new Letter(Secret), new EnqueueOptions { MaxAttempts = 1 }, Cancellation);
        }

        using var host = GivenHost(seen, static _ => { });
        await host.StartAsync(Cancellation);
        while ((await FindAsync(id)).State is EntryState.Waiting or EntryState.Running)
        {
            await Task.Yield();
        }

        await host.StopAsync(Cancellation);
        var entry = await FindAsync(id);

        Assert.False(seen.FirstAttempt.Task.IsCompleted);
        Assert.NotEqual(EndReasons.InvalidArgs, entry.Reason);
        Assert.Contains("'test-cipher', which is not registered in this host", entry.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_jobs_arguments_and_results_are_encoded_and_the_same_declaration_changes_nothing()
    {
        var seen = new Seen();
        using var host = GivenHost(
            seen, static builder => builder.AddTaskHandler<Report, ReportHandler>().AddPayloadCodec<Report, TestCipher>());
        await host.StartAsync(Cancellation);
        var jobs = host.Services.GetRequiredService<IJobService>();
        var definition = new JobDefinition("report", Schedule.Every(TimeSpan.FromDays(1)));

        var job = await jobs.CreateOrUpdateAsync(definition, new Report(Secret), Cancellation);
        var again = await jobs.CreateOrUpdateAsync(definition, new Report(Secret), Cancellation);
        var changed = await jobs.CreateOrUpdateAsync(definition, new Report("other"), Cancellation);
        var task = await seen.Reported.Task.WaitAsync(Cancellation);
        await host.StopAsync(Cancellation);
        var record = (await Jobs.FindTaskAsync(task, Cancellation))!;

        Assert.Equal((job.Args, job.UpdatedAt), (again.Args, again.UpdatedAt));
        Assert.NotEqual(job.Args, changed.Args);
        Assert.StartsWith("\"$codec:test-cipher:", job.Args, StringComparison.Ordinal);
        Assert.StartsWith("\"$codec:test-cipher:", record.Result, StringComparison.Ordinal);
        Assert.Equal("\"done\"", host.Services.GetRequiredService<IPayloadReader>().Read(record.Result!));
    }

    private static string Text(ReadOnlyMemory<byte> json) => Encoding.UTF8.GetString(json.Span);

    private IHost GivenHost(Seen seen, Action<TaskRecoveryBuilder> configure, bool works = true)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton(Store);
        builder.Services.AddSingleton(Jobs);
        builder.Services.AddSingleton(seen);
        var recovery = builder.Services.AddTaskRecovery(static options =>
        {
            // A busy machine may stop a node for longer than the defaults allow.
            options.Node.Lease = TimeSpan.FromMinutes(10);
            options.Node.Grace = TimeSpan.FromMinutes(9);
        });
        recovery = works
            ? recovery.AddQueue(DefaultQueue, 2).AddWorker<Letter, LetterWorker>(static worker => worker.RetryBase = TimeSpan.Zero)
            : recovery.AddKind<Letter>();
        configure(recovery);
        return builder.Build();
    }

    [JobKind("letter")]
    public sealed record Letter(string Text);

    [JobKind("report")]
    public sealed record Report(string Text);

    /// <summary>What the handlers saw.</summary>
    public sealed class Seen
    {
        public TaskCompletionSource FirstAttempt { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource MayFail { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<string> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<Guid> Reported { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Encrypts with a key of this process. The same payload gives other bytes each time.</summary>
    public sealed class TestCipher : IPayloadCodec
    {
        private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32);

        public string Id => "test-cipher";

        public byte[] Encode(ReadOnlyMemory<byte> json)
        {
            var sealedBytes = new byte[12 + 16 + json.Length];
            RandomNumberGenerator.Fill(sealedBytes.AsSpan(0, 12));
            using var cipher = new AesGcm(Key, 16);
            cipher.Encrypt(sealedBytes.AsSpan(0, 12), json.Span, sealedBytes.AsSpan(28), sealedBytes.AsSpan(12, 16));
            return sealedBytes;
        }

        public byte[] Decode(ReadOnlyMemory<byte> data)
        {
            var json = new byte[data.Length - 28];
            using var cipher = new AesGcm(Key, 16);
            cipher.Decrypt(data.Span[..12], data.Span[28..], data.Span[12..28], json);
            return json;
        }
    }

    public sealed class LetterWorker(Seen seen) : IJobWorker<Letter>
    {
        public async Task WorkAsync(WorkContext<Letter> context, CancellationToken cancellationToken)
        {
            var step = await context.StepAsync("read", _ => Task.FromResult(context.Args.Text), cancellationToken);
            if (context.Attempt == 1)
            {
                await context.SaveCheckpointAsync(context.Args.Text, cancellationToken);
                seen.FirstAttempt.TrySetResult();
                await seen.MayFail.Task.WaitAsync(cancellationToken);
                throw new InvalidOperationException("once");
            }

            var checkpoint = await context.GetCheckpointAsync<string>(cancellationToken);
            context.SetResult(context.Args.Text);
            seen.Done.TrySetResult($"step {step}, checkpoint {checkpoint}, args {context.Args.Text}");
        }
    }

    public sealed class ReportHandler(Seen seen) : ITaskHandler<Report>
    {
        public Task RunAsync(TaskContext<Report> context, CancellationToken cancellationToken)
        {
            context.SetResult("done");
            seen.Reported.TrySetResult(context.TaskId);
            return Task.CompletedTask;
        }
    }
}
