using System.Net;
using System.Net.Sockets;

namespace TaskRecovery.TestSupport;

/// <summary>A port on loopback that refuses connections until it is disposed: its socket is bound, so that no other program gets the port,
/// and does not listen.</summary>
public sealed class RefusingPort : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    /// <summary>Takes a free port.</summary>
    public RefusingPort() => _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));

    /// <summary>The port's number.</summary>
    public int Number => ((IPEndPoint)_socket.LocalEndPoint!).Port;

    /// <summary>The host and the port, as connection strings name them.</summary>
    public string Address => $"127.0.0.1:{Number}";

    /// <inheritdoc />
    public void Dispose() => _socket.Dispose();
}
