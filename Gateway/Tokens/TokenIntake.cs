using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace AspireChat.Gateway.Tokens;

/// <summary>
/// Finds the token wherever the contract lets a client put it: in the Authorization header, else in the subprotocol <c>bearer.…</c>, else
/// in the query's <c>token</c>. Leaves it in the Authorization header only, so that nothing behind the gateway sees a URL or a subprotocol
/// with a token in it. Drops every header that claims an identity without proof.
/// </summary>
internal sealed class TokenIntake(RequestDelegate next)
{
    private const string BearerPrefix = "Bearer ";
    private const string BearerProtocol = "bearer.";
    private const string TokenParameter = "token";

    /// <summary>
    /// Headers by which proxies and platforms tell which user they have authenticated, or which address a client has. Nothing in front of
    /// this gateway tells the first, and KnownProxies has dealt with the second.
    /// </summary>
    private static readonly string[] IdentityHeaders =
    [
        "X-User", "X-Auth", "X-Identity", "X-Internal", "X-AspireChat", "X-Remote-User", "Remote-", "X-Forwarded-User", "X-Forwarded-Email",
        "X-Forwarded-Preferred-Username", "X-Forwarded-Groups", "X-Forwarded-Access-Token", "X-WebAuth", "X-MS-Client-Principal",
        "X-Amzn-Oidc",
        "X-Goog-Authenticated-User", "X-Client-Cert", "X-SSL-Client", "X-Original-", "X-Rewrite-Url", "X-HTTP-Method-Override",
        "X-Real-", "Forwarded", "True-Client-IP", "CF-Connecting-IP", "X-Client-IP", "X-Cluster-Client-IP",
    ];

    public Task InvokeAsync(HttpContext context)
    {
        var headers = context.Request.Headers;
        foreach (var name in headers.Keys.Where(IsIdentityHeader).ToArray())
        {
            headers.Remove(name);
        }
        // No service uses cookies, and those of other applications on the same host are none of their business.
        headers.Remove(HeaderNames.Cookie);
        // The proxy would pass this header on, but it passes no trailers on.
        headers.Remove(HeaderNames.Trailer);

        var fromProtocol = TakeFromSubprotocols(headers);
        var fromQuery = TakeFromQuery(context);
        if (!headers.Authorization.ToString().StartsWith(BearerPrefix, StringComparison.OrdinalIgnoreCase))
        {
            headers.Remove(HeaderNames.Authorization);
            var token = fromProtocol ?? fromQuery;
            if (!string.IsNullOrWhiteSpace(token))
            {
                headers.Authorization = BearerPrefix + token;
            }
        }
        return next(context);
    }

    private static bool IsIdentityHeader(string name) =>
        IdentityHeaders.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));

    private static string? TakeFromSubprotocols(IHeaderDictionary headers)
    {
        var offered = headers.SecWebSocketProtocol;
        if (offered.Count == 0)
        {
            return null;
        }

        string? token = null;
        List<string> kept = [];
        foreach (var line in offered)
        {
            foreach (var protocol in (line ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                if (protocol.StartsWith(BearerProtocol, StringComparison.OrdinalIgnoreCase))
                {
                    token ??= protocol[BearerProtocol.Length..];
                }
                else
                {
                    kept.Add(protocol);
                }
            }
        }
        if (kept.Count == 0)
        {
            headers.Remove(HeaderNames.SecWebSocketProtocol);
        }
        else
        {
            headers.SecWebSocketProtocol = new StringValues(string.Join(", ", kept));
        }

        return token;
    }

    /// <summary>Removes every <c>token</c> and leaves the rest of the query as the client encoded it. The first token counts.</summary>
    private static string? TakeFromQuery(HttpContext context)
    {
        var request = context.Request;
        if (!request.QueryString.HasValue || !request.Query.ContainsKey(TokenParameter))
        {
            return null;
        }

        var token = request.Query[TokenParameter][0];
        var kept = new StringBuilder();
        foreach (var pair in request.QueryString.Value!.AsSpan(1).ToString().Split('&'))
        {
            var name = pair.Split('=', 2)[0];
            if (string.Equals(Uri.UnescapeDataString(name.Replace('+', ' ')), TokenParameter, StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            kept.Append(kept.Length == 0 ? '?' : '&').Append(pair);
        }
        request.QueryString = new QueryString(kept.ToString());
        if (context.Features.Get<IHttpRequestFeature>() is { } feature)
        {
            feature.RawTarget = request.Path.ToUriComponent() + kept;
        }

        return token;
    }
}
