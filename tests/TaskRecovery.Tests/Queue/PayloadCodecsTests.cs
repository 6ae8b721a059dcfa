using System.Text;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Kinds;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Queue;

/// <summary>How payloads are encoded, and which codecs are refused.</summary>
public sealed class PayloadCodecsTests
{
    private static readonly byte[] Json = "{\"a\":1}"u8.ToArray();

    [Fact]
    public void A_payload_without_a_codec_is_stored_and_read_as_it_is()
    {
        Assert.Same(Json, PayloadCodecs.Encode(null, Json));
        Assert.Equal(Json, Codecs().Decode(Json).ToArray());
        Assert.Equal("{\"a\":1}", Codecs().Read("{\"a\":1}"));
    }

    [Theory]
    [InlineData("\"$codec:\"")]
    [InlineData("\"$codec:reverse:e30=\"")]
    public void A_text_that_looks_like_an_encoded_payload_is_read_back_as_the_text(string json)
    {
        var stored = PayloadCodecs.Encode(null, Encoding.UTF8.GetBytes(json));

        Assert.Equal(json, Encoding.UTF8.GetString(Codecs(new Reverse()).Decode(stored).Span));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"a\":1}")]
    [InlineData("\"ü\"")]
    public void An_encoded_payload_is_a_json_string_that_names_its_codec(string json)
    {
        var codec = new Reverse();

        var stored = Encoding.UTF8.GetString(PayloadCodecs.Encode(codec, Encoding.UTF8.GetBytes(json)));

        Assert.StartsWith("$codec:reverse:", System.Text.Json.JsonSerializer.Deserialize<string>(stored), StringComparison.Ordinal);
        Assert.Equal(json, Codecs(codec).Read(stored));
        Assert.True(Codecs(codec).Holds(codec, Encoding.UTF8.GetBytes(stored), Encoding.UTF8.GetBytes(json)));
        Assert.False(Codecs(codec).Holds(codec, Encoding.UTF8.GetBytes(stored), "[]"u8));
    }

    [Theory]
    [InlineData("\"$codec:", "damaged")]
    [InlineData("\"$codec:reverse\"", "damaged")]
    [InlineData("\"$codec:reverse:?\"", "damaged")]
    [InlineData("\"$codec:reverse:e30=", "damaged")]
    [InlineData("\"$codec:other:e30=\"", "'other', which is not registered")]
    public void A_payload_that_can_t_be_decoded_says_why(string stored, string problem)
    {
        var error = Assert.Throws<PayloadException>(() => Codecs(new Reverse()).Read(stored));

        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_codec_that_throws_is_named()
    {
        var broken = new Broken();

        Assert.Contains(
            "'broken'", Assert.Throws<PayloadException>(() => PayloadCodecs.Encode(broken, Json)).Message, StringComparison.Ordinal);
        Assert.Contains("'broken'", Assert.Throws<PayloadException>(
            () => Codecs(broken).Read("\"$codec:broken:e30=\"")).Message, StringComparison.Ordinal);
        Assert.Contains(
            "'broken'", Assert.Throws<InvalidOperationException>(() => Codecs(broken).Check()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a:b")]
    [InlineData("a\"")]
    public void An_id_that_can_t_be_stored_is_refused(string id)
        => Assert.Contains(
            "Use 1 to 50", Assert.Throws<InvalidOperationException>(() => Codecs(new Reverse(id))).Message, StringComparison.Ordinal);

    [Fact]
    public void Two_codecs_with_one_id_are_refused()
        => Assert.Contains("both have the id", Assert.Throws<InvalidOperationException>(
            () => Codecs(new Reverse(), new Reverse())).Message, StringComparison.Ordinal);

    [Fact]
    public void A_second_codec_for_a_kind_is_refused()
    {
        var builder = new ServiceCollection().AddTaskRecovery().AddPayloadCodec<TestArgs, Broken>().AddPayloadCodec<TestArgs, Broken>();

        Assert.Contains("Keep one of them", Assert.Throws<InvalidOperationException>(
            () => builder.AddPayloadCodec<TestArgs, Reverse>()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_codec_that_does_not_work_or_has_no_kind_fails_the_start()
    {
        await using var broken = WorkHost.Create(
            new FakeQueueStore(), static builder => builder.AddKind<TestArgs>().AddPayloadCodec<TestArgs, Broken>());
        await using var without = WorkHost.Create(new FakeQueueStore(), static builder => builder.AddPayloadCodec<TestArgs, NoCodec>());

        Assert.Contains(
            "does not work", (await Assert.ThrowsAsync<InvalidOperationException>(broken.StartAsync)).Message, StringComparison.Ordinal);
        Assert.Contains(
            "has no kind with it", (await Assert.ThrowsAsync<InvalidOperationException>(without.StartAsync)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Arguments_that_a_codec_makes_too_large_are_refused()
    {
        var store = new FakeQueueStore();
        await using var host = WorkHost.Create(store, static builder => builder.AddKind<TestArgs>().AddPayloadCodec<TestArgs, Inflating>());

        var error = await Assert.ThrowsAsync<ArgumentException>(async () => await host.Queue.EnqueueAsync(new TestArgs()));

        Assert.Contains("67,108,864", error.Message, StringComparison.Ordinal);
        Assert.Empty(store.Entries);
    }

    private static PayloadCodecs Codecs(params IPayloadCodec[] codecs)
        => new(codecs.Select(static codec => new PayloadCodecRegistration(
            null, codec.GetType(), _ => codec)), new ServiceCollection().BuildServiceProvider());

    private sealed class Reverse(string id = "reverse") : IPayloadCodec
    {
        public string Id => id;

        public byte[] Encode(ReadOnlyMemory<byte> json) => [.. json.ToArray().Reverse()];

        public byte[] Decode(ReadOnlyMemory<byte> data) => [.. data.ToArray().Reverse()];
    }

    private sealed class Inflating : IPayloadCodec
    {
        public string Id => "inflating";

        public byte[] Encode(ReadOnlyMemory<byte> json) => new byte[50 * 1024 * 1024];

        public byte[] Decode(ReadOnlyMemory<byte> data) => data.ToArray();
    }

    private sealed class NoCodec : IPayloadCodec
    {
        public string Id => "none";

        public byte[] Encode(ReadOnlyMemory<byte> json) => json.ToArray();

        public byte[] Decode(ReadOnlyMemory<byte> data) => data.ToArray();
    }

    private sealed class Broken : IPayloadCodec
    {
        public string Id => "broken";

        public byte[] Encode(ReadOnlyMemory<byte> json) => throw new InvalidOperationException("no key");

        public byte[] Decode(ReadOnlyMemory<byte> data) => throw new InvalidOperationException("no key");
    }
}
