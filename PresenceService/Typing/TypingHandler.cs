using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Presence;
using AspireChat.Contracts.Redis;
using AspireChat.PresenceService.State;
using Microsoft.Extensions.Options;
using ChannelMessage = AspireChat.Contracts.Redis.ChannelMessage;
using RedisValue = StackExchange.Redis.RedisValue;

namespace AspireChat.PresenceService.Typing;

/// <summary>
/// Who is typing where. The others of a room, or the one addressee, hear when it begins and when it ends, by notice or by itself; renewing
/// is silent. Safe for concurrent use.
/// </summary>
public sealed class TypingHandler(PresenceRedis redis, IOptions<PresenceOptions> options, PresenceMetrics metrics)
{
    private const int Part = 100;

    private readonly PresenceOptions _options = options.Value;

    public async Task NoteAsync(IReadOnlyList<TypingNotice> notices, CancellationToken cancellationToken)
    {
        // Nobody is told of their own typing, so of typing to oneself nobody is.
        var steps = notices.Where(notice => notice.To != notice.User)
            .Select(notice => new Step(notice.Active ? "on" : "off", new Typist(notice.User, notice.Room, notice.To), notice.Active));
        await RunAsync(steps, cancellationToken);
    }

    /// <param name="members">Members of <see cref="RedisKeys.PresenceTypists"/> whose time may be over.</param>
    public async Task EndAsync(IReadOnlyList<string> members, CancellationToken cancellationToken) =>
        await RunAsync(members.Select(member => new Step("due", Typist.Parse(member), false)), cancellationToken);

    private async Task RunAsync(IEnumerable<Step> steps, CancellationToken cancellationToken)
    {
        foreach (var part in steps.Chunk(Part))
        {
            var now = redis.Now;
            List<RedisValue> arguments = new(2 + 6 * part.Length)
            {
                now + (long)_options.TypingExpiry.TotalMilliseconds, _options.TypingNames,
            };
            foreach (var (action, typist, active) in part)
                arguments.AddRange([action, typist.Member, typist.User, typist.Room ?? "", typist.Channel, typist.Payload(active)]);
            metrics.Told("typing", (long)await redis.RunAsync(PresenceScripts.Typing, now, arguments, cancellationToken));
        }
    }

    private readonly record struct Step(string Action, Typist Typist, bool Active);

    /// <summary>Someone typing in a room or to another user: exactly one of the two is set.</summary>
    private readonly record struct Typist(string User, string? Room, string? To)
    {
        /// <summary>As stored; identifiers contain no colon.</summary>
        public string Member => Room is not null ? $"r:{Room}:{User}" : $"d:{User}:{To}";

        public string Channel => Room is not null ? RedisChannels.Room(Room) : RedisChannels.User(To!);

        /// <summary>In a direct conversation <c>to</c> names the other user as the receiver sees it, who is the typist.</summary>
        public byte[] Payload(bool active) => ChannelMessage.ForFrame(
            ServerFrameCodec.Encode(new TypingFrame(User, Room, Room is null ? User : null, active)), except: Room is null ? null : User);

        public static Typist Parse(string member)
        {
            var parts = member.Split(':');
            return parts[0] == "r" ? new Typist(parts[2], parts[1], null) : new Typist(parts[1], null, parts[2]);
        }
    }
}
