using System.Net.Sockets;
using System.Text;

namespace AspireChat.Tests.Gateway;

/// <summary>Bytes that no HTTP client would send.</summary>
internal static class RawRequest
{
    /// <summary>Sends and reads until the server closes (ask it to) or 64 KiB came; gives the answer's text.</summary>
    public static async Task<string> SendAsync(Uri address, string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request));
        var buffer = new byte[64 * 1024];
        var length = 0;
        try
        {
            while (length < buffer.Length && await stream.ReadAsync(buffer.AsMemory(length)) is var read and > 0)
            {
                length += read;
            }
        }
        catch (IOException)
        {
        }
        return Encoding.Latin1.GetString(buffer, 0, length);
    }
}
