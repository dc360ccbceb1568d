using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace AspireChat.Gateway.Requests;

/// <summary>
/// HEAD is answered wherever GET is, by the same code and with the same headers, and without a body (RFC 9110 §9.3.2). Neither the routes
/// here nor those of the services need to know of it. A 405 names HEAD beside GET.
/// </summary>
internal static class HeadRequests
{
    /// <summary>Call it before routing, which chooses by the method.</summary>
    public static void UseHeadRequests(this WebApplication app) => app.Use(static async (context, next) =>
    {
        context.Response.OnStarting(NameHead, context);
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await next(context);
            return;
        }

        var body = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        context.Features.Set<IHttpResponseBodyFeature>(new NoBody(body));
        context.Request.Method = HttpMethods.Get;
        // The server leaves the body out and lets Content-Length stand when it knows the method at the start of the response.
        context.Response.OnStarting(static state =>
        {
            ((HttpContext)state).Request.Method = HttpMethods.Head;
            return Task.CompletedTask;
        }, context);
        try
        {
            await next(context);
        }
        finally
        {
            context.Request.Method = HttpMethods.Head;
            context.Features.Set(body);
        }
    });

    private static Task NameHead(object state)
    {
        var response = ((HttpContext)state).Response;
        if (response.StatusCode == StatusCodes.Status405MethodNotAllowed)
        {
            var methods = response.Headers.GetCommaSeparatedValues(HeaderNames.Allow);
            if (methods.Contains(HttpMethods.Get) && !methods.Contains(HttpMethods.Head))
            {
                response.Headers.Allow = string.Join(", ", [.. methods, HttpMethods.Head]);
            }
        }

        return Task.CompletedTask;
    }

    private sealed class NoBody(IHttpResponseBodyFeature response) : IHttpResponseBodyFeature
    {
        public Stream Stream => Stream.Null;

        public PipeWriter Writer { get; } = PipeWriter.Create(Stream.Null);

        public void DisableBuffering()
        {
        }

        public Task StartAsync(CancellationToken cancellationToken = default) => response.StartAsync(cancellationToken);

        public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
            Task.CompletedTask;

        public Task CompleteAsync() => response.CompleteAsync();
    }
}
