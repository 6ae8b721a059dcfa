using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace TaskRecovery.TestSupport;

/// <summary>How a proxy handles the bytes of its connections.</summary>
[Flags]
public enum ProxyFault
{
    /// <summary>It forwards everything.</summary>
    None = 0,

    /// <summary>Nothing reaches the server; connections stay open.</summary>
    StallToServer = 1,

    /// <summary>Nothing comes back from the server; connections stay open.</summary>
    StallToClient = 2,

    /// <summary>Nothing passes in either direction; connections stay open, as when a cable is pulled.</summary>
    Cut = StallToServer | StallToClient,
}

/// <summary>A small TCP proxy on loopback that simulates the network between one node and its server.</summary>
public sealed class TcpProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<Link, bool> _links = new();
    private volatile Target _target;
    private readonly Task _accepting;
    private readonly TaskCompletionSource _unstalled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile TaskCompletionSource _healed = Completed();
    private long _stallAfter = long.MaxValue;
    private int _resets;

    /// <summary>Starts a proxy in front of a server.</summary>
    public TcpProxy(string host, int port)
    {
        _target = new Target(host, port);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>The port to which clients connect.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The number of open connections.</summary>
    public int Connections => _links.Count;

    /// <summary>The current network fault.</summary>
    public ProxyFault Fault { get; private set; }

    /// <summary>Simulates a network fault. Bytes in transit are held back, not lost, as with TCP.</summary>
    public void Break(ProxyFault fault)
    {
        Fault = fault;
        if (_healed.Task.IsCompleted)
        {
            _healed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>Stops reading a connection's answers once more than this many bytes have come from the server, until <see cref="Heal"/>: so
    /// the server blocks in the middle of a large answer, and all connections with small ones work.</summary>
    public void StallAnswersAfter(long bytes) => _stallAfter = bytes;

    /// <summary>Ends the network fault.</summary>
    public void Heal()
    {
        _stallAfter = long.MaxValue;
        _unstalled.TrySetResult();
        Fault = ProxyFault.None;
        _healed.TrySetResult();
    }

    /// <summary>Forwards new connections to another server, like an address that moves in a failover.</summary>
    /// <param name="host">The server's host.</param>
    /// <param name="port">The server's port.</param>
    /// <param name="resetsOpen">Whether open connections are reset. If not, they stay with the server that they reach.</param>
    public void Redirect(string host, int port, bool resetsOpen = true)
    {
        _target = new Target(host, port);
        if (resetsOpen)
        {
            ResetAll();
        }
    }

    /// <summary>Resets every open connection on both sides.</summary>
    public void ResetAll()
    {
        // A connection that is still being made is in no list yet.
        Interlocked.Increment(ref _resets);
        foreach (var link in _links.Keys)
        {
            link.Reset();
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        Heal();
        ResetAll();
        await _accepting;
        _stopping.Dispose();
    }

    private static TaskCompletionSource Completed()
    {
        var source = new TaskCompletionSource();
        source.SetResult();
        return source;
    }

    private async Task AcceptAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptSocketAsync(_stopping.Token);
                _ = ServeAsync(client);
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // The listener was stopped, or a client disconnected before it was accepted.
            }
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
        using var link = new Link(client, server);
        try
        {
            await PassableAsync(ProxyFault.Cut);
            var resets = Volatile.Read(ref _resets);
            var target = _target;
            await server.ConnectAsync(target.Host, target.Port, _stopping.Token);
            client.NoDelay = server.NoDelay = true;
            _links[link] = true;
            if (Volatile.Read(ref _resets) != resets)
            {
                return;
            }

            await Task.WhenAny(
                PumpAsync(client, server, ProxyFault.StallToServer),
                PumpAsync(server, client, ProxyFault.StallToClient));
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The server is not reachable: reset the client's connection.
        }
        finally
        {
            _links.TryRemove(link, out _);
            link.Reset();
        }
    }

    private async Task PumpAsync(Socket from, Socket to, ProxyFault stalledBy)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            int count;
            long passed = 0;
            while ((count = await from.ReceiveAsync(buffer, _stopping.Token)) > 0)
            {
                await PassableAsync(stalledBy);
                if (stalledBy == ProxyFault.StallToClient && (passed += count) > Volatile.Read(ref _stallAfter))
                {
                    await _unstalled.Task;
                }

                await to.SendAsync(buffer.AsMemory(0, count), _stopping.Token);
            }

            // The end of a connection does not cross a broken network either.
            await PassableAsync(stalledBy);
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            await PassableAsync(stalledBy);
        }
    }

    private async Task PassableAsync(ProxyFault stalledBy)
    {
        while ((Fault & stalledBy) != ProxyFault.None && !_stopping.IsCancellationRequested)
        {
            await _healed.Task;
        }
    }

    private sealed record Target(string Host, int Port);

    private sealed class Link(Socket client, Socket server) : IDisposable
    {
        public void Reset()
        {
            // Closing with a linger time of zero sends a reset instead of an orderly end.
            client.Close(0);
            server.Close(0);
        }

        public void Dispose() => client.Dispose();
    }
}
