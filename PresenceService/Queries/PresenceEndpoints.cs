using System.Text.Json.Serialization;
using AspireChat.Contracts;
using AspireChat.PresenceService.State;
using AspireChat.ServiceDefaults;
using Microsoft.AspNetCore.Mvc;

namespace AspireChat.PresenceService.Queries;

/// <summary>The presence calls of protocol §5. Any verified user may ask for any users.</summary>
public static class PresenceEndpoints
{
    private const int Most = 500;

    /// <summary>Bytes of a question about as many users, with room for spaces: a larger body is not read.</summary>
    private const int MostBytes = 128 * 1_024;

    public static void MapPresence(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api").RequireAuthorization().LimitCalls().AddEndpointFilter<RedisAway>();

        api.MapGet("/users/{user}/presence", async (string user, PresenceQueries queries, CancellationToken cancellationToken) =>
                UserIds.IsValid(user)
                    ? Results.Json((await queries.ReadAsync([user], cancellationToken))[0], PresenceJson.Default.UserPresence)
                    : NoIdentifier("user"));

        api.MapPost("/presence", async (PresenceQuery query, PresenceQueries queries, CancellationToken cancellationToken) =>
                query.Users is not { } users ? Bad("users is missing: a list of user ids")
                : users.Count > Most ? Bad($"users may hold at most {Most} user ids")
                : !users.All(user => UserIds.IsValid(user)) ? NoIdentifier("users")
                : Results.Json(new PresenceList(await queries.ReadAsync(users, cancellationToken)), PresenceJson.Default.PresenceList))
            .WithMetadata(new RequestSizeLimitAttribute(MostBytes));
    }

    private static IResult NoIdentifier(string field) => Bad($"{field} must be {UserIds.Rule}, for each user");

    private static IResult Bad(string detail) => Results.Problem(detail, statusCode: StatusCodes.Status400BadRequest);
}

/// <param name="LastSeen">RFC 3339, or null.</param>
public sealed record UserPresence(string User, bool Online, string? LastSeen);

public sealed record PresenceQuery(IReadOnlyList<string>? Users);

public sealed record PresenceList(IReadOnlyList<UserPresence> Items);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(UserPresence))]
[JsonSerializable(typeof(PresenceQuery))]
[JsonSerializable(typeof(PresenceList))]
internal sealed partial class PresenceJson : JsonSerializerContext;
