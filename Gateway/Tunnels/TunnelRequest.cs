using System.Text;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Forwarder;

namespace AspireChat.Gateway.Tunnels;

/// <summary>The head of a handshake for a replica, with the headers that the proxy's transforms let through.</summary>
internal sealed record TunnelRequest(Uri Destination, byte[] Head)
{
    /// <summary>Null: a header cannot be written as it is. The proxy's own way can encode it.</summary>
    public static async ValueTask<TunnelRequest?> CreateAsync(
        HttpContext context, string prefix, HttpTransformer transformer, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, (Uri?)null);
        await transformer.TransformRequestAsync(context, request, prefix, cancellationToken);
        var destination = request.RequestUri
            ?? RequestUtilities.MakeDestinationAddress(prefix, context.Request.Path, context.Request.QueryString);
        var head = new StringBuilder($"GET {destination.PathAndQuery} HTTP/1.1\r\n");
        head.Append($"Host: {request.Headers.Host ?? destination.Authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n");
        foreach (var (name, values) in request.Headers.NonValidated)
        {
            if (IsConnectionHeader(name))
            {
                continue;
            }

            foreach (var value in values)
            {
                if (!IsPlain(value))
                {
                    return null;
                }

                head.Append($"{name}: {value}\r\n");
            }
        }
        head.Append("\r\n");
        return Ascii.IsValid(head.ToString()) ? new TunnelRequest(destination, Encoding.ASCII.GetBytes(head.ToString())) : null;
    }

    private static bool IsConnectionHeader(string name) =>
        name.Equals(HeaderNames.Host, StringComparison.OrdinalIgnoreCase)
        || name.Equals(HeaderNames.Connection, StringComparison.OrdinalIgnoreCase)
        || name.Equals(HeaderNames.Upgrade, StringComparison.OrdinalIgnoreCase);

    private static bool IsPlain(string value) => !value.AsSpan().ContainsAnyInRange('\0', '\x1f') && Ascii.IsValid(value);
}

/// <summary>A replica's answer to a handshake.</summary>
/// <param name="Status">0 when it is no HTTP.</param>
/// <param name="Rest">What came behind the head: the first frames.</param>
internal sealed record TunnelAnswer(int Status, IReadOnlyList<KeyValuePair<string, string>> Headers, ReadOnlyMemory<byte> Rest)
{
    private const int StatusAt = 9;

    public static TunnelAnswer Parse(byte[] bytes)
    {
        var end = bytes.AsSpan().IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return new TunnelAnswer(0, [], default);
        }

        var lines = Encoding.ASCII.GetString(bytes, 0, end).Split("\r\n");
        if (!lines[0].StartsWith("HTTP/1.1 ", StringComparison.Ordinal) || lines[0].Length < StatusAt + 3
            || !int.TryParse(lines[0].AsSpan(StatusAt, 3), out var status))
        {
            return new TunnelAnswer(0, [], default);
        }

        List<KeyValuePair<string, string>> headers = [];
        foreach (var line in lines.AsSpan(1))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0)
            {
                headers.Add(new(line[..colon], line[(colon + 1)..].Trim()));
            }
        }
        return new TunnelAnswer(status, headers, bytes.AsMemory(end + 4));
    }

    /// <summary>Prepares the answer to the client. The upgrade sends it.</summary>
    public async ValueTask CopyToAsync(HttpContext context, HttpTransformer transformer, CancellationToken cancellationToken)
    {
        using var response = new HttpResponseMessage((System.Net.HttpStatusCode)Status);
        foreach (var (name, value) in Headers)
        {
            response.Headers.TryAddWithoutValidation(name, value);
        }

        context.Response.StatusCode = Status;
        await transformer.TransformResponseAsync(context, response, cancellationToken);
        context.Response.Headers.Upgrade = "websocket";
    }
}
