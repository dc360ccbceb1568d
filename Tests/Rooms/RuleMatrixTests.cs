using System.Text;
using AspireChat.Contracts.Rooms;
using AspireChat.RedisLog;
using AspireChat.Tests.Log;

namespace AspireChat.Tests.Rooms;

/// <summary>Every case of what somebody may do in a room: role, state, visibility, sending, claim and action.</summary>
public sealed class RuleMatrixTests(LogFixture fixture) : IClassFixture<LogFixture>
{
    private static readonly RoomAction[] Actions = Enum.GetValues<RoomAction>();
    private static readonly int?[] Rights = [null, .. Enumerable.Range(0, 16)];

    public static TheoryData<RoomVisibility> Visibilities => [.. Enum.GetValues<RoomVisibility>()];

    [Fact]
    [Trait("Needs", "Redis")]
    public async Task Scripts_and_services_decide_the_same_in_every_case()
    {
        var cases = Cases().ToList();
        // The decision of rules.lua, on what a script would have looked up.
        const string ask = """
            local reply = {}
            for line in string.gmatch(ARGV[1], '[^\n]+') do
              local exists, private, moderated, role, banned, muted, rights, action = string.match(line, '^(%d) (%d) (%d) (%d) (%d) (%d) (%S+) (%a+)$')
              local s = {exists = exists == '1', private = private == '1', moderated = moderated == '1', role = tonumber(role),
                banned = banned == '1', muted = muted == '1'}
              reply[#reply + 1] = may(s, action, tonumber(rights))
            end
            return reply
            """;
        var text = new StringBuilder();
        foreach (var (s, rights, action) in cases)
        {
            text.Append($"{Bit(s.Exists)} {Bit(s.Visibility == RoomVisibility.Private)} {Bit(s.Sending == RoomSending.Moderators)} ")
                .Append($"{(int)s.Role} {Bit(s.Banned)} {Bit(s.Muted)} {rights?.ToString() ?? "none"} {action.ToString().ToLowerInvariant()}\n");
        }

        var answers = (int[])(await fixture.Database.ScriptEvaluateAsync(RedisScripts.Rules + ask, [], [text.ToString()]))!;

        Assert.Equal(cases.Count, answers.Length);
        Assert.All(cases.Zip(answers), pair => Assert.Equal(
            RoomRules.May(pair.First.Standing, pair.First.Rights, pair.First.Action) switch
            {
                RoomVerdict.Allowed => 1,
                RoomVerdict.Forbidden => -4,
                _ => -5,
            },
            pair.Second));
    }

    [Fact]
    public void Nobody_but_members_learns_that_a_private_room_exists()
    {
        Assert.All(Cases().Where(each => each is { Standing: { Visibility: RoomVisibility.Private, Role: RoomRole.None } or { Visibility: RoomVisibility.Private, Banned: true } }
            && !(each is { Rights: { } rights, Standing.Banned: false } && (rights & (RoomRules.Read | RoomRules.Join)) != 0)),
            each => Assert.Equal(RoomVerdict.NotFound, RoomRules.May(each.Standing, each.Rights, each.Action)));
    }

    [Fact]
    public void A_claim_never_lets_its_bearer_do_what_the_rules_forbid_but_read_and_join()
    {
        Assert.All(Cases().Where(each => each.Rights is not null && each.Action is not (RoomAction.See or RoomAction.Read or RoomAction.Join)
            && RoomRules.May(each.Standing, null, each.Action) != RoomVerdict.Allowed),
            each => Assert.NotEqual(RoomVerdict.Allowed, RoomRules.May(each.Standing, each.Rights, each.Action)));
    }

    [Fact]
    public void Who_is_banned_does_nothing_whatever_their_token_says()
    {
        Assert.All(Cases().Where(each => each.Standing.Banned && each.Action != RoomAction.See),
            each => Assert.NotEqual(RoomVerdict.Allowed, RoomRules.May(each.Standing, each.Rights, each.Action)));
    }

    [Theory]
    [MemberData(nameof(Visibilities))]
    public void The_page_about_rooms_has_the_table_that_the_rules_give(RoomVisibility visibility)
    {
        var page = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Documents", "rooms.md"));

        Assert.Contains(Table(visibility), page, StringComparison.Ordinal);
    }

    private static string Table(RoomVisibility visibility)
    {
        (string Who, RoomStanding Standing)[] rows =
        [
            ("stranger", Of(RoomRole.None)),
            ("banned", Of(RoomRole.None) with { Banned = true }),
            ("member", Of(RoomRole.Member)),
            ("member, only moderators send", Of(RoomRole.Member) with { Sending = RoomSending.Moderators }),
            ("member, muted", Of(RoomRole.Member) with { Muted = true }),
            ("moderator", Of(RoomRole.Moderator)),
            ("owner", Of(RoomRole.Owner)),
        ];
        var table = new StringBuilder($"| {RoomSettings.NameOf(visibility)} room |");
        foreach (var action in Actions)
        {
            table.Append($" {action.ToString().ToLowerInvariant()} |");
        }

        table.Append('\n').Append('|').Append(string.Concat(Enumerable.Repeat("---|", Actions.Length + 1)));
        foreach (var (who, standing) in rows)
        {
            table.Append($"\n| {who} |");
            foreach (var action in Actions)
            {
                table.Append(RoomRules.May(standing, null, action) switch
                {
                    RoomVerdict.Allowed => " yes |",
                    RoomVerdict.Forbidden => " 403 |",
                    _ => " 404 |",
                });
            }
        }

        return table.ToString();

        RoomStanding Of(RoomRole role) => new(true, visibility, RoomSending.Members, role);
    }

    private static IEnumerable<(RoomStanding Standing, int? Rights, RoomAction Action)> Cases()
    {
        bool[] both = [false, true];
        return
            from exists in both
            from visibility in Enum.GetValues<RoomVisibility>()
            from sending in Enum.GetValues<RoomSending>()
            from role in Enum.GetValues<RoomRole>()
            from banned in both
            from muted in both
            from rights in Rights
            from action in Actions
            select (new RoomStanding(exists, visibility, sending, role, banned, muted), rights, action);
    }

    private static char Bit(bool value) => value ? '1' : '0';
}
