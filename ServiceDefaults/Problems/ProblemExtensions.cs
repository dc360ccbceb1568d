using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace AspireChat.ServiceDefaults;

/// <summary>
/// Why a request was refused. Set it as a feature before the status: the framework would leave the body of the response empty.
/// </summary>
/// <param name="Detail">A sentence for people.</param>
/// <param name="Code">A stable word for programs.</param>
public sealed record ProblemReason(string Detail, string Code);

/// <summary>
/// Makes every error response a problem document (RFC 9457), whatever the client accepts and whichever part of the pipeline refused.
/// </summary>
public static class ProblemExtensions
{
    internal static void AddProblemResponses(this IHostApplicationBuilder builder)
    {
        builder.Services.AddProblemDetails();
        builder.Services.AddSingleton<IStartupFilter, StatusProblems>();
    }

    /// <summary>
    /// Inside the developer exception page, so that Development answers like Production, and no page shows a request's headers.
    /// </summary>
    internal static void UseProblemExceptions(this WebApplication app) => app.UseExceptionHandler(new ExceptionHandlerOptions
    {
        SuppressDiagnosticsCallback = context => context.Exception is BadHttpRequestException,
        AllowStatusCode404Response = true,
        ExceptionHandler = static context =>
        {
            var exception = context.Features.Get<IExceptionHandlerFeature>()?.Error;
            // Only messages of this type are written for clients.
            return exception is BadHttpRequestException refused
                ? TypedResults.Problem(refused.Message, statusCode: refused.StatusCode).ExecuteAsync(context)
                : TypedResults.Problem(statusCode: StatusCodes.Status500InternalServerError).ExecuteAsync(context);
        },
    });

    /// <summary>Ends the request with a problem response and, for 429 and 503, a <c>Retry-After</c> header in whole seconds.</summary>
    public static Task WriteProblemAsync(this HttpContext context, int status, string detail, string code, TimeSpan? retryAfter = null)
    {
        if (retryAfter is { } wait)
        {
            context.Response.Headers.RetryAfter = ((int)Math.Max(1, Math.Ceiling(wait.TotalSeconds))).ToString();
        }

        return Describe(detail, status, code).ExecuteAsync(context);
    }

    private static IResult Describe(string? detail, int status, string? code) => TypedResults.Problem(
        detail, statusCode: status, extensions: code is null ? null : [new KeyValuePair<string, object?>("code", code)]);

    /// <summary>A startup filter, because the host itself adds the middleware that answers 401, 403, 404, 405 and 415.</summary>
    private sealed class StatusProblems : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.UseStatusCodePages(static page =>
            {
                var context = page.HttpContext;
                var reason = context.Features.Get<ProblemReason>();
                return Describe(reason?.Detail, context.Response.StatusCode, reason?.Code).ExecuteAsync(context);
            });
            next(app);
        };
    }
}
