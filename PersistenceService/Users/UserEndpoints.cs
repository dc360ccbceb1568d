using AspireChat.Contracts;
using AspireChat.Contracts.Frames;
using AspireChat.PersistenceService.History;
using AspireChat.PersistenceService.Writing;
using AspireChat.ServiceDefaults;

namespace AspireChat.PersistenceService.Users;

/// <summary>
/// <c>GET /api/users?query=&amp;limit=</c> and, for the scope <c>chat:admin</c>, <c>GET /api/admin/users</c>: known users by the start of id or
/// name. A user is known from the first connect, as soon as it is committed.
/// </summary>
internal static class UserEndpoints
{
    public static IHostApplicationBuilder AddUsers(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<UserTable>();
        return builder;
    }

    public static void MapUsers(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/users", SearchAsync).RequireAuthorization().LimitCalls();
        routes.MapGet("/api/admin/users", SearchAsync).RequireAuthorization(ChatPolicies.Admin).LimitCalls();
    }

    private static async Task SearchAsync(HttpContext context, UserTable table)
    {
        var query = context.Request.Query["query"].ToString();
        if (query.Length > UserIds.MaxLength || query.Contains('\0', StringComparison.Ordinal))
        {
            await context.WriteProblemAsync(
                StatusCodes.Status400BadRequest, $"query has at most {UserIds.MaxLength} characters and no NUL.", ErrorCodes.BadRequest);
            return;
        }
        if (!PageRequest.TryParseLimit(context.Request.Query["limit"], out var limit, out var problem))
        {
            await context.WriteProblemAsync(StatusCodes.Status400BadRequest, problem, ErrorCodes.BadRequest);
            return;
        }

        List<(string User, UserProfile? Profile)> users;
        try
        {
            users = await table.SearchAsync(query, limit, context.RequestAborted);
        }
        catch (Exception e) when (DatabaseFaults.Is(e))
        {
            await context.WriteUnavailableAsync();
            return;
        }
        await using var answer = new JsonAnswer(context);
        var json = answer.Json;
        json.WriteStartObject();
        json.WriteStartArray("items"u8);
        foreach (var (user, profile) in users)
        {
            json.WriteStartObject();
            json.WriteString("user"u8, user);
            if (profile?.Name is { } name)
            {
                json.WriteString("name"u8, name);
            }

            if (profile?.Picture is { } picture)
            {
                json.WriteString("picture"u8, picture);
            }

            json.WriteEndObject();
            await answer.SendAsync();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
