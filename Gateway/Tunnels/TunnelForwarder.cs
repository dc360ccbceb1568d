using System.ComponentModel;
using System.Net;
using System.Net.Sockets;
using AspireChat.Gateway.RateLimits;
using AspireChat.Gateway.Routing;
using AspireChat.WebSockets;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Forwarder;

namespace AspireChat.Gateway.Tunnels;

/// <summary>
/// Forwards sockets through a <see cref="Tunnel"/>. YARP forwards everything else: calls, handshakes that a replica refuses, and sockets
/// that do not come as HTTP/1.1 over plain TCP (TLS that ends here, HTTP/2). For tunnels too, YARP chooses the replica, knows its health,
/// decides on the request's headers and handles failures. Only the bytes after the handshake take another way.
/// </summary>
internal sealed class TunnelForwarder(
    IHttpForwarder forwarder,
    FewestSockets balance,
    TunnelDrain drain,
    HandoverCount handovers,
    TunnelMetrics metrics,
    IOptions<GatewayOptions> options,
    ILogger<TunnelForwarder> logger) : IHttpForwarder
{
    private readonly GatewayOptions _options = options.Value;

    public ValueTask<ForwarderError> SendAsync(HttpContext context, string destinationPrefix, HttpMessageInvoker httpClient,
        ForwarderRequestConfig requestConfig, HttpTransformer transformer) =>
        SendAsync(context, destinationPrefix, httpClient, requestConfig, transformer, CancellationToken.None);

    public async ValueTask<ForwarderError> SendAsync(HttpContext context, string destinationPrefix, HttpMessageInvoker httpClient,
        ForwarderRequestConfig requestConfig, HttpTransformer transformer, CancellationToken cancellationToken)
    {
        if (context.Features.Get<LoopConnection>() is { } client && IsPlainSocket(context, destinationPrefix)
            && await TunnelRequest.CreateAsync(context, destinationPrefix, transformer, cancellationToken) is { } request)
        {
            logger.Tunneling(destinationPrefix);
            var tunnel = new Tunnel(client.Loop, request.Head, requestConfig.ActivityTimeout ?? _options.SocketIdleTimeout);
            var isHandedOver = false;
            try
            {
                if (await ConnectAsync(tunnel, request.Destination, context.RequestAborted) is { } failure)
                {
                    return Failed(context, failure);
                }

                var answer = TunnelAnswer.Parse(await tunnel.Answered.WaitAsync(context.RequestAborted));
                if (answer.Status == StatusCodes.Status101SwitchingProtocols)
                {
                    await answer.CopyToAsync(context, transformer, cancellationToken);
                    await UpgradeAsync(context, client, tunnel, answer.Rest.ToArray());
                    isHandedOver = true;
                    return ForwarderError.None;
                }
            }
            catch (Exception e) when (e
                is Win32Exception or TimeoutException or OperationCanceledException or ObjectDisposedException or IOException)
            {
                return Failed(context, e);
            }
            finally
            {
                if (!isHandedOver)
                {
                    tunnel.Dispose();
                }
            }
        }
        // A refused handshake had no effect. YARP asks the replica again and passes its whole answer on.
        return await forwarder.SendAsync(context, destinationPrefix, httpClient, requestConfig, transformer, cancellationToken);
    }

    private async Task UpgradeAsync(HttpContext context, LoopConnection client, Tunnel tunnel, byte[] first)
    {
        var features = context.Features;
        // When this returns, the answer is in the client's socket, so the loop may write there.
        await features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
        var replica = balance.Of(context.GetReverseProxyFeature().ProxiedDestination!);
        var place = new TunnelPlace(replica, features.Get<SocketLease>()?.Take(), handovers, metrics);
        features.GetRequiredFeature<IConnectionHandover>().HandTo(_ => tunnel.StartAsync(client, first, place), outlives: true);
        drain.Opened(tunnel);
    }

    private async Task<Exception?> ConnectAsync(Tunnel tunnel, Uri destination, CancellationToken aborted)
    {
        try
        {
            var addresses = IPAddress.TryParse(destination.DnsSafeHost, out var address)
                ? [address]
                : await Dns.GetHostAddressesAsync(destination.DnsSafeHost, aborted);
            await tunnel.ConnectAsync(addresses, destination.Port, _options.ConnectTimeout, aborted);
            return null;
        }
        catch (Exception e) when (e is SocketException or TimeoutException)
        {
            return new HttpRequestException(HttpRequestError.ConnectionError, e.Message, e);
        }
        catch (OperationCanceledException e)
        {
            return e;
        }
    }

    private static bool IsPlainSocket(HttpContext context, string destination) =>
        context.GetReverseProxyFeature().IsSocket()
        && Handshake.CanTakeSocket(context)
        && HttpProtocol.IsHttp11(context.Request.Protocol)
        && context.Request.ContentLength is null or 0
        && destination.StartsWith("http://", StringComparison.OrdinalIgnoreCase);

    private static ForwarderError Failed(HttpContext context, Exception fault)
    {
        var (error, status) = fault switch
        {
            TimeoutException => (ForwarderError.RequestTimedOut, StatusCodes.Status504GatewayTimeout),
            OperationCanceledException => (ForwarderError.RequestCanceled, StatusCodes.Status502BadGateway),
            _ => (ForwarderError.Request, StatusCodes.Status502BadGateway),
        };
        if (!context.Response.HasStarted)
        {
            context.Response.StatusCode = status;
        }

        context.Features.Set<IForwarderErrorFeature>(new Failure(error, fault));
        return error;
    }

    private sealed record Failure(ForwarderError Error, Exception? Exception) : IForwarderErrorFeature;
}
