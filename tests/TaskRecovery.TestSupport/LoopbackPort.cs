using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace TaskRecovery.TestSupport;

/// <summary>Ports for servers of tests.</summary>
public static class LoopbackPort
{
    private const int First = 15_000;
    private const int Last = 32_000; // Below the range of outgoing connections, which could take the port while the server is down.

    /// <summary>Finds a port on which nobody listens.</summary>
    public static int FindFree()
    {
        while (true)
        {
            var port = RandomNumberGenerator.GetInt32(First, Last);
            using var listener = new TcpListener(IPAddress.Loopback, port);
            try
            {
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // The port is in use: try another one.
            }
        }
    }
}
