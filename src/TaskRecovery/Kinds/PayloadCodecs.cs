using System.Buffers.Text;
using System.Text;
using TaskRecovery.Rules;

namespace TaskRecovery.Kinds;

/// <summary>Encodes and decodes stored payloads with the codecs of one host.</summary>
/// <remarks>An encoded payload is a JSON string, <c>"$codec:id:base64"</c>, so that every store, tool and list can show it, and a process
/// that does not know it can't take it for arguments. If a payload without a codec is such a string itself, it is stored with an empty id.
/// A payload of a kind without a codec costs one comparison.</remarks>
internal sealed class PayloadCodecs : IPayloadReader
{
    private readonly Dictionary<string, IPayloadCodec> _byId = new(StringComparer.Ordinal);
    private readonly Dictionary<Type, IPayloadCodec> _byArgsType = [];

    /// <exception cref="InvalidOperationException">A codec's id is invalid, or two codecs have the same id.</exception>
    public PayloadCodecs(IEnumerable<PayloadCodecRegistration> registrations, IServiceProvider services)
    {
        foreach (var registration in registrations)
        {
            var codec = registration.Create(services);
            CheckId(codec);
            if (!_byId.TryAdd(codec.Id, codec) && !ReferenceEquals(_byId[codec.Id], codec))
            {
                throw new InvalidOperationException(
                    $"The codecs {_byId[codec.Id].GetType()} and {codec.GetType()} both have the id '{codec.Id}', which selects the codec "
                    + "that reads a payload. Give one of them another id.");
            }

            if (registration.ArgsType is { } argsType)
            {
                _byArgsType[argsType] = codec;
            }
        }
    }

    private static ReadOnlySpan<byte> Prefix => "\"$codec:"u8;

    /// <summary>The arguments types whose payloads are encoded.</summary>
    public IReadOnlyCollection<Type> ArgsTypes => _byArgsType.Keys;

    /// <summary>Returns the codec for the payloads of a kind; <see langword="null"/> if it has none.</summary>
    public IPayloadCodec? Find(Type argsType) => _byArgsType.GetValueOrDefault(argsType);

    /// <summary>Encodes a payload for storing.</summary>
    /// <exception cref="PayloadException">The codec threw.</exception>
    public static byte[] Encode(IPayloadCodec? codec, byte[] json)
    {
        if (codec is null)
        {
            return json.AsSpan().StartsWith(Prefix) ? Wrap(string.Empty, json) : json;
        }

        try
        {
            return Wrap(codec.Id, codec.Encode(json));
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            throw new PayloadException($"The codec '{codec.Id}' ({codec.GetType()}) could not encode a payload, "
                + $"and nothing was stored: {exception.Message}", exception);
        }
    }

    /// <summary>Decodes a stored payload. A payload without a codec is returned unchanged.</summary>
    /// <exception cref="PayloadException">The codec is not registered in this host, or it threw.</exception>
    public ReadOnlyMemory<byte> Decode(ReadOnlyMemory<byte> stored)
        => stored.Span.StartsWith(Prefix) ? Unwrap(stored.Span) : stored;

    /// <summary>Returns whether a stored payload is this JSON, encoded by this codec.</summary>
    public bool Holds(IPayloadCodec codec, ReadOnlySpan<byte> stored, ReadOnlySpan<byte> json)
    {
        try
        {
            return stored.StartsWith([.. Prefix, .. Encoding.ASCII.GetBytes(codec.Id), (byte)':'])
                && Unwrap(stored).AsSpan().SequenceEqual(json);
        }
        catch (PayloadException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public string Read(string stored)
    {
        ArgumentNullException.ThrowIfNull(stored);
        return stored.StartsWith("\"$codec:", StringComparison.Ordinal)
            ? Encoding.UTF8.GetString(Unwrap(Encoding.UTF8.GetBytes(stored)))
            : stored;
    }

    /// <summary>Throws if a codec does not return what it encoded, for example because its key is missing.</summary>
    /// <exception cref="InvalidOperationException">A codec does not work.</exception>
    public void Check()
    {
        var sample = "{\"sample\":\"\u00fc\"}"u8.ToArray();
        foreach (var codec in _byId.Values)
        {
            try
            {
                if (codec.Decode(codec.Encode(sample)).AsSpan().SequenceEqual(sample))
                {
                    continue;
                }
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException(
                    $"The codec '{codec.Id}' ({codec.GetType()}) does not work: {exception.Message}", exception);
            }

            throw new InvalidOperationException(
                $"The codec '{codec.Id}' ({codec.GetType()}) does not work: it decodes what it encoded to something else. "
                + "Correct it before anything is stored with it.");
        }
    }

    private static byte[] Wrap(string id, ReadOnlySpan<byte> data)
    {
        var head = Prefix.Length + id.Length + 1;
        var wrapped = new byte[head + Base64.GetMaxEncodedToUtf8Length(data.Length) + 1];
        Prefix.CopyTo(wrapped);
        Encoding.ASCII.GetBytes(id, wrapped.AsSpan(Prefix.Length));
        wrapped[head - 1] = (byte)':';
        Base64.EncodeToUtf8(data, wrapped.AsSpan(head), out _, out _);
        wrapped[^1] = (byte)'"';
        return wrapped;
    }

    private byte[] Unwrap(ReadOnlySpan<byte> stored)
    {
        var rest = stored[Prefix.Length..];
        var colon = rest.IndexOf((byte)':');
        if (colon < 0 || rest[^1] != (byte)'"' || !Base64.IsValid(rest[(colon + 1)..^1]))
        {
            throw new PayloadException(
                "A stored payload begins like an encoded one, but is damaged: it was changed outside of the library.");
        }

        var id = Encoding.UTF8.GetString(rest[..colon]);
        var data = new byte[Base64.GetMaxDecodedFromUtf8Length(rest.Length - colon - 2)];
        Base64.DecodeFromUtf8(rest[(colon + 1)..^1], data, out _, out var length);
        if (id.Length == 0)
        {
            return data[..length];
        }

        if (!_byId.TryGetValue(id, out var codec))
        {
            throw new PayloadException(
                $"A payload was stored with the codec '{EntryText.Shown(id)}', which is not registered in this host. "
                + "Add it with AddPayloadCodec<TCodec>(), in each process that reads the kind.");
        }

        try
        {
            return codec.Decode(data.AsMemory(0, length));
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            throw new PayloadException($"The codec '{id}' ({codec.GetType()}) could not decode a payload: {exception.Message}", exception);
        }
    }

    private static void CheckId(IPayloadCodec codec)
    {
        if (!ShortId.IsValid(codec.Id))
        {
            throw new InvalidOperationException(
                $"The codec {codec.GetType()} has the id '{EntryText.Shown(codec.Id ?? string.Empty)}'. Use {ShortId.Allowed}.");
        }
    }
}
