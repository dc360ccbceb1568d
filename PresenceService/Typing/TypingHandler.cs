using AspireChat.Contracts.Presence;
using AspireChat.PresenceService.State;
using AspireChat.RedisLog;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace AspireChat.PresenceService.Typing;

/// <summary>
/// Which users are typing where. The others of a room, or the one addressee, hear when typing begins and when it ends, by notice or by
/// itself. A renewal is silent. Thread-safe.
/// </summary>
public sealed class TypingHandler(PresenceRedis redis, IOptions<PresenceOptions> options, PresenceMetrics metrics)
{
    /// <summary>Changes in one script call; each may have a place told of up to some dozens of typists.</summary>
    private const int Part = 20;

    private readonly PresenceOptions _options = options.Value;

    public async Task NoteAsync(IReadOnlyList<TypingNotice> notices, CancellationToken cancellationToken)
    {
        // Users are not told of their own typing, so a notice to oneself has no receiver.
        var steps = notices.Where(notice => notice.To != notice.User)
            .Select(notice => new Step(notice.Active ? "on" : "off", Place.Of(notice), notice.User));
        await RunAsync(steps, cancellationToken);
    }

    /// <param name="members">Members of <see cref="RedisKeys.PresenceTypists"/> whose time may be over.</param>
    public async Task EndAsync(IReadOnlyList<string> members, CancellationToken cancellationToken) =>
        await RunAsync(members.Select(End), cancellationToken);

    /// <param name="places">Members of <see cref="RedisKeys.PresenceTellings"/> that may be told again.</param>
    public async Task TellAsync(IReadOnlyList<string> places, CancellationToken cancellationToken) =>
        await RunAsync(places.Select(place => new Step("tell", new Place(place), "")), cancellationToken);

    private static Step End(string member)
    {
        // An id of a room has no colon, that of a user may.
        var rest = member[2..];
        var end = member.StartsWith("r:", StringComparison.Ordinal) ? rest.IndexOf(':') : rest.IndexOf(Place.Separator);
        return member.StartsWith("r:", StringComparison.Ordinal)
            ? new Step("due", new Place(rest[..end]), rest[(end + 1)..])
            : new Step("due", new Place(rest), rest[..Math.Max(end, 0)]);
    }

    private async Task RunAsync(IEnumerable<Step> steps, CancellationToken cancellationToken)
    {
        foreach (var part in steps.Chunk(Part))
        {
            var now = redis.Now;
            List<RedisValue> arguments = new(3 + 4 * part.Length)
            {
                now + (long)_options.TypingExpiry.TotalMilliseconds, _options.TypingNames, (long)_options.TypingInterval.TotalMilliseconds,
            };
            foreach (var (action, place, user) in part)
            {
                arguments.AddRange([action, place.Name, user, place.Channel]);
            }

            metrics.Told("typing", (long)await redis.RunAsync(PresenceScripts.Typing, now, arguments, cancellationToken));
        }
    }

    private readonly record struct Step(string Action, Place Place, string User);

    /// <summary>A room by its id, or a user's side of a direct conversation as <c>user/other</c>; ids contain no slash.</summary>
    private readonly record struct Place(string Name)
    {
        public const char Separator = '/';

        public string Channel =>
            Name.IndexOf(Separator) is var end and >= 0 ? RedisChannels.User(Name[(end + 1)..]) : RedisChannels.Room(Name);

        public static Place Of(TypingNotice notice) => new(notice.Room ?? $"{notice.User}{Separator}{notice.To}");
    }
}
