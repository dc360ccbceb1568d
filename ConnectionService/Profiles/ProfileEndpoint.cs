using System.Text.Json;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts;
using AspireChat.Contracts.Frames;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;
using Microsoft.AspNetCore.Mvc;

namespace AspireChat.ConnectionService.Profiles;

/// <summary>
/// <c>PUT /api/admin/users/{user}</c> with <c>{"name"?,"picture"?}</c>: the whole profile, until a token with a name or a picture connects or
/// the server sets another one. What is missing is taken away. The user need not have connected before.
/// </summary>
internal static class ProfileEndpoint
{
    /// <summary>A name and a picture of the greatest length, every character escaped.</summary>
    private const int MostBytes = 8 * 1_024;

    public static IServiceCollection AddProfiles(this IServiceCollection services)
    {
        services.AddSingleton<UserProfiles>();
        services.AddSingleton<ProfileAnnouncer>();
        services.AddHostedService(provider => provider.GetRequiredService<ProfileAnnouncer>());
        return services;
    }

    public static void MapProfiles(this WebApplication app) => app.MapPut("/api/admin/users/{user}", SetAsync)
        .WithMetadata(new RequestSizeLimitAttribute(MostBytes))
        .RequireAuthorization(ChatPolicies.Admin);

    private static async Task SetAsync(string user, HttpContext context, UserProfiles profiles)
    {
        if (!UserIds.IsValid(user))
        {
            await RefuseAsync(context, $"user must be {UserIds.Rule}");
            return;
        }
        var (profile, fault) = await ReadAsync(context);
        if (fault is not null)
        {
            await RefuseAsync(context, fault);
            return;
        }
        try
        {
            await profiles.SetAsync(user, profile);
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e) || e is LogUnavailableException)
        {
            await context.WriteProblemAsync(503, "the profile can't be stored now", ErrorCodes.Unavailable, TimeSpan.FromSeconds(1));
            return;
        }
        context.Response.ContentType = "application/json; charset=utf-8";
        await context.Response.WriteAsync(profile is null ? "{}" : ProfileJson.Encode(profile), context.RequestAborted);
    }

    private static async Task<(UserProfile? Profile, string? Fault)> ReadAsync(HttpContext context)
    {
        try
        {
            using var body = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
            if (body.RootElement.ValueKind != JsonValueKind.Object)
            {
                return (null, "the body is not one JSON object");
            }

            if (!TryRead(body.RootElement, "name", UserProfile.IsName, out var name))
            {
                return (null, $"name must be a text of 1 to {UserProfile.LongestName} characters without control characters");
            }

            return TryRead(body.RootElement, "picture", UserProfile.IsPicture, out var picture)
                ? ((name ?? picture) is null ? null : new UserProfile(name, picture), null)
                : (null, $"picture must be an https URL of at most {UserProfile.LongestPicture} characters");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return (null, "the body is not one JSON object");
        }
    }

    private static bool TryRead(JsonElement body, string field, Func<string?, bool> isValid, out string? value)
    {
        value = null;
        if (!body.TryGetProperty(field, out var found) || found.ValueKind == JsonValueKind.Null)
        {
            return true;
        }

        value = found.ValueKind == JsonValueKind.String ? found.GetString() : null;
        return isValid(value);
    }

    private static Task RefuseAsync(HttpContext context, string detail) => context.WriteProblemAsync(400, detail, ErrorCodes.BadRequest);
}
