using AspireChat.Contracts.Frames;
using AspireChat.Gateway.RateLimits;
using AspireChat.ServiceDefaults;
using Microsoft.AspNetCore.Routing.Template;
using Yarp.ReverseProxy.Configuration;

namespace AspireChat.Gateway.Routing;

/// <summary>
/// Answers for what is below <c>/api</c> and on no route: 404, or 405 with every method that the path has. No single service could say
/// that, because the methods of one path may belong to several services.
/// </summary>
internal static class UnlistedCalls
{
    public static void MapUnlistedCalls(this WebApplication app)
    {
        var listed = app.Services.GetRequiredService<IProxyConfigProvider>().GetConfig().Routes
            .Where(route => route.Match.Methods is not null)
            .Select(route => (
                Matcher: new TemplateMatcher(TemplateParser.Parse(route.Match.Path!), []), Methods: route.Match.Methods!))
            .ToArray();
        app.Map("/api/{**path}", (HttpContext context) =>
        {
            string[] methods =
            [
                .. listed.Where(route => route.Matcher.TryMatch(context.Request.Path, [])).SelectMany(route => route.Methods)
                    .Distinct().Order(StringComparer.Ordinal),
            ];
            if (methods.Length == 0)
            {
                return context.WriteProblemAsync(StatusCodes.Status404NotFound, "There is no such call.", ErrorCodes.NotFound);
            }

            context.Response.Headers.Allow = string.Join(", ", methods);
            return context.WriteProblemAsync(
                StatusCodes.Status405MethodNotAllowed, "This path has no such method.", "method_not_allowed");
        }).RequireAuthorization().WithMetadata(RouteLimit.Api);
    }
}
