using AspireChat.Contracts;
using AspireChat.Contracts.Presence;
using AspireChat.PresenceService.State;
using AspireChat.ServiceDefaults;

namespace AspireChat.PresenceService.Reports;

public static class ReportEndpoint
{
    /// <summary><c>POST /internal/presence/{replica}</c>: a <see cref="PresenceReport"/> of a ConnectionService replica.</summary>
    public static void MapReports(this IEndpointRouteBuilder routes) => routes
        .MapPost("/internal/presence/{replica}", async (string replica, PresenceReport report, ReportHandler handler, CancellationToken cancellationToken) =>
            IsValid(replica, report)
                ? Results.Json(await handler.ApplyAsync(replica, report, cancellationToken), PresenceReportContext.Default.PresenceReportAnswer)
                : Results.Problem("The report holds something that is no identifier.", statusCode: StatusCodes.Status400BadRequest))
        .AddEndpointFilter<RedisAway>()
        .RequireAuthorization(ChatPolicies.Internal);

    /// <summary>Identifiers become parts of keys and of frames: nothing else may get that far, whoever sends it.</summary>
    private static bool IsValid(string replica, PresenceReport report) =>
        Identifiers.IsValid(replica) && report is { Instance.Length: > 0 and <= 64, Users: not null, Rooms: not null, Typing: not null }
        && report.Users.All(user => user is not null && Identifiers.IsValid(user.User) && user.Connections >= 0)
        && report.Rooms.All(membership => membership is not null && Identifiers.IsValid(membership.User) && Identifiers.IsValid(membership.Room))
        && report.Typing.All(notice => notice is not null && Identifiers.IsValid(notice.User)
            && (notice.Room is null) != (notice.To is null) && Identifiers.IsValid(notice.Room ?? notice.To));
}
