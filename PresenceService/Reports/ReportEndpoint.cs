using AspireChat.Contracts;
using AspireChat.Contracts.Presence;
using AspireChat.PresenceService.State;
using AspireChat.ServiceDefaults;

namespace AspireChat.PresenceService.Reports;

public static class ReportEndpoint
{
    /// <summary><c>POST /internal/presence/{replica}</c>: a <see cref="PresenceReport"/> of a ConnectionService replica.</summary>
    public static void MapReports(this IEndpointRouteBuilder routes) => routes.MapPost("/internal/presence/{replica}", ApplyAsync)
        .AddEndpointFilter<RedisAway>()
        .RequireAuthorization(ChatPolicies.Internal);

    private static async Task<IResult> ApplyAsync(
        string replica, PresenceReport report, ReportHandler handler, CancellationToken cancellationToken)
    {
        if (!IsValid(replica, report))
        {
            return Results.Problem("The report holds something that is no identifier.", statusCode: StatusCodes.Status400BadRequest);
        }

        var answer = await handler.ApplyAsync(replica, report, cancellationToken);
        return Results.Json(answer, PresenceReportContext.Default.PresenceReportAnswer);
    }

    /// <summary>The scripts build keys and frames from these texts, so each must be an identifier.</summary>
    private static bool IsValid(string replica, PresenceReport report) =>
        RoomIds.IsValid(replica) && report is { Instance.Length: > 0 and <= 64, Users: not null, Rooms: not null, Typing: not null }
        && report.Users.All(user => user is not null && UserIds.IsValid(user.User) && user.Connections >= 0)
        && report.Rooms.All(room => room is not null && UserIds.IsValid(room.User) && RoomIds.IsValid(room.Room))
        && report.Typing.All(notice => notice is not null && UserIds.IsValid(notice.User)
            && (notice.Room is null) != (notice.To is null) && (notice.Room is null ? UserIds.IsValid(notice.To) : RoomIds.IsValid(notice.Room)))
        && report.Missed?.All(room => RoomIds.IsValid(room)) != false;
}
