using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace TaskRecovery.TestSupport;

/// <summary>What a proxy does with the bytes of its connections.</summary>
[Flags]
public enum ProxyFault
{
    /// <summary>It passes everything on.</summary>
    None = 0,

    /// <summary>Nothing reaches the server; no connection breaks.</summary>
    StallToServer = 1,

    /// <summary>Nothing comes back from the server; no connection breaks.</summary>
    StallToClient = 2,

    /// <summary>Nothing passes either way; no connection breaks, as when a cable is pulled.</summary>
    Cut = StallToServer | StallToClient,
}

/// <summary>A small TCP proxy on loopback that stands for the network between one node and its server.</summary>
public sealed class TcpProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<Link, bool> _links = new();
    private volatile Target _target;
    private readonly Task _accepting;
    private volatile TaskCompletionSource _healed = Completed();

    /// <summary>Starts one in front of a server.</summary>
    public TcpProxy(string host, int port)
    {
        _target = new Target(host, port);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Where clients connect to.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>How many connections are open through it.</summary>
    public int Connections => _links.Count;

    /// <summary>What is wrong with the network now.</summary>
    public ProxyFault Fault { get; private set; }

    /// <summary>Makes the network faulty. Bytes under way are held, not lost, as TCP does.</summary>
    public void Break(ProxyFault fault)
    {
        Fault = fault;
        if (_healed.Task.IsCompleted)
        {
            _healed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>Makes it whole again.</summary>
    public void Heal()
    {
        Fault = ProxyFault.None;
        _healed.TrySetResult();
    }

    /// <summary>Leads to another server from now on, as an address that moves with a failover does. Open connections are reset.</summary>
    public void Redirect(string host, int port)
    {
        _target = new Target(host, port);
        ResetAll();
    }

    /// <summary>Breaks every open connection with a reset, on both sides.</summary>
    public void ResetAll()
    {
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
                // The listener was stopped, or a client left before it was accepted.
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
            var target = _target;
            await server.ConnectAsync(target.Host, target.Port, _stopping.Token);
            client.NoDelay = server.NoDelay = true;
            _links[link] = true;
            await Task.WhenAny(
                PumpAsync(client, server, ProxyFault.StallToServer),
                PumpAsync(server, client, ProxyFault.StallToClient));
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The server is not there: the client sees a reset.
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
            while ((count = await from.ReceiveAsync(buffer, _stopping.Token)) > 0)
            {
                await PassableAsync(stalledBy);
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
            // Closing with nothing to linger for sends a reset instead of an orderly end.
            client.Close(0);
            server.Close(0);
        }

        public void Dispose() => client.Dispose();
    }
}
