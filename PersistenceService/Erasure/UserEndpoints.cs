using AspireChat.Contracts;
using AspireChat.Contracts.Frames;
using AspireChat.PersistenceService.History;
using AspireChat.PersistenceService.Writing;
using AspireChat.ServiceDefaults;

namespace AspireChat.PersistenceService.Erasure;

/// <summary>
/// What the law asks for (product §4): <c>DELETE /api/admin/users/{user}</c> erases a user, <c>GET /api/admin/erasures/{id}</c> tells how
/// far that has come, <c>GET /api/admin/users/{user}/export</c> hands out what is kept about a user.
/// </summary>
internal static class UserEndpoints
{
    public static IHostApplicationBuilder AddErasure(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<Erasures>();
        builder.Services.AddSingleton<AuthoredContent>();
        builder.Services.AddSingleton<TailContent>();
        builder.Services.AddSingleton<CommittedLog>();
        builder.Services.AddSingleton<UserExport>();
        builder.Services.AddSingleton<ErasureWorker>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ErasureWorker>());
        return builder;
    }

    public static void MapErasure(this IEndpointRouteBuilder routes)
    {
        routes.MapDelete("/api/admin/users/{user}", EraseAsync).RequireAuthorization(ChatPolicies.Admin).LimitCalls();
        routes.MapGet("/api/admin/erasures/{id:guid}", StatusAsync).RequireAuthorization(ChatPolicies.Admin).LimitCalls();
        routes.MapGet("/api/admin/users/{user}/export", ExportAsync).RequireAuthorization(ChatPolicies.Admin);
    }

    private static async Task EraseAsync(string user, HttpContext context, Erasures erasures, ErasureWorker worker)
    {
        if (!UserIds.IsValid(user))
        {
            await RefuseAsync(context);
            return;
        }
        try
        {
            var id = await erasures.AddAsync(user, context.RequestAborted);
            worker.Ring();
            context.Response.StatusCode = StatusCodes.Status202Accepted;
            context.Response.Headers.Location = $"/api/admin/erasures/{id}";
            await WriteAsync(context, new Erasure(id, user, ErasureStatus.Running, "", 0));
        }
        catch (Exception e) when (DatabaseFaults.Is(e))
        {
            await context.WriteUnavailableAsync();
        }
    }

    private static async Task StatusAsync(Guid id, HttpContext context, Erasures erasures)
    {
        try
        {
            if (await erasures.FindAsync(id, context.RequestAborted) is { } erasure)
            {
                await WriteAsync(context, erasure);
                return;
            }
            await context.WriteProblemAsync(StatusCodes.Status404NotFound, "There is no erasure with this id.", ErrorCodes.NotFound);
        }
        catch (Exception e) when (DatabaseFaults.Is(e))
        {
            await context.WriteUnavailableAsync();
        }
    }

    private static async Task ExportAsync(string user, HttpContext context, UserExport export)
    {
        if (!UserIds.IsValid(user))
        {
            await RefuseAsync(context);
            return;
        }
        await export.WriteAsync(user, context);
    }

    private static async Task WriteAsync(HttpContext context, Erasure erasure)
    {
        await using var answer = new JsonAnswer(context);
        answer.Json.WriteStartObject();
        answer.Json.WriteString("id"u8, erasure.Id);
        answer.Json.WriteString("user"u8, erasure.User);
        answer.Json.WriteString("status"u8, erasure.Status switch
        {
            ErasureStatus.Running => "running",
            ErasureStatus.Done => "done",
            _ => "failed",
        });
        answer.Json.WriteNumber("erased"u8, erasure.Erased);
        answer.Json.WriteEndObject();
    }

    private static Task RefuseAsync(HttpContext context) =>
        context.WriteProblemAsync(StatusCodes.Status400BadRequest, $"user must be {UserIds.Rule}", ErrorCodes.BadRequest);
}
