using AspireChat.Contracts.Frames;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Forwarder;

namespace AspireChat.Gateway.Routing;

/// <summary>
/// When a replica cannot be connected to, another one is tried before the client notices. When there is no other one, the answer is 503
/// with the time until the next probe. A request that reached a replica is never repeated.
/// </summary>
internal sealed class ForwardingFailures(RequestDelegate next, IOptions<GatewayOptions> options)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var proxy = context.GetReverseProxyFeature();
        var candidates = proxy.AvailableDestinations;
        await next(context);
        while (context.IsConnectFailure() && !context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            candidates = [.. candidates.Where(destination => destination != proxy.ProxiedDestination)];
            if (candidates.Count == 0)
            {
                break;
            }

            proxy.AvailableDestinations = candidates;
            proxy.ProxiedDestination = null;
            context.Features.Set<IForwarderErrorFeature>(null);
            context.Response.StatusCode = StatusCodes.Status200OK;
            await next(context);
        }
        if (context.Response.HasStarted || context.Features.Get<IForwarderErrorFeature>() is not { } failure)
        {
            return;
        }

        if (failure.Error == ForwarderError.NoAvailableDestinations || context.IsConnectFailure())
        {
            await context.WriteProblemAsync(
                StatusCodes.Status503ServiceUnavailable,
                "No replica of this service can be reached.",
                ErrorCodes.Unavailable,
                options.Value.HealthInterval);
        }
        else if (context.Response.StatusCode == StatusCodes.Status504GatewayTimeout)
        {
            await context.WriteProblemAsync(StatusCodes.Status504GatewayTimeout, "The service did not answer in time.", "timeout");
        }
        else if (context.Response.StatusCode == StatusCodes.Status502BadGateway)
        {
            await context.WriteProblemAsync(StatusCodes.Status502BadGateway, "The service broke off its answer.", "bad_gateway");
        }
    }
}
