using AspireChat.Chaos.Hostile.Attacks;

namespace AspireChat.Chaos.Hostile;

/// <summary>All attacks, in the order in which they run.</summary>
internal static class AttackList
{
    public static IReadOnlyList<Attack> All() =>
    [
        new DirectResumes(), new RoomResumes(), new WrongResumes(), new UnreadReplays(), new AbandonedReplays(), new RepeatedReplays(),
        new ShiftedReplays(), new NewRooms(), new JoinLeaveOne(), new JoinLeaveMany(), new LeavesOfStrangeRooms(), new NotJoined(),
        new TypingToggles(), new TypingToMany(), new ReadCursors(), new PresenceFlapping(), new Vanishing(), new ManyConversations(),
        new EndlessEdits(), new LargeTails(),
        new RefusedEdits(), new RefusedReactions(), new Repeats(), new NewEmojis(), new ToggledReactions(), new EventFlood(), new NewDirects(),
        new UnwantedDirects(), new OldRevisions(), new Pings(), new Pongs(), new EmptyFragments(), new PingFrames(), new BinaryFrames(),
        new TooLargeFrames(), new BytesOneByOne(), new HeldFrames(), new AuthFrames(), new ForgedAuthFrames(), new DeepJson(),
        new NestedResumes(), new HalfCharacters(), new UnknownFields(), new LongTexts(), new EscapedContents(), new InvalidUtf8(),
        new Reconnects(),
        new UnsolicitedCloses(), new HalfOpenSockets(), new SlowHandshakes(), new SilentConnections(), new SlowBodies(), new HugeHeaders(),
        new FailedHandshakes(), new InvalidTokens(), new UnreadAnswers(),
        new HistoryPages("large-pages", "pages of 200 messages of 24 KB, 60 at once", messages: 400, characters: 8_000, places: 200),
        new HistoryPages("old-pages", "pages of 200 messages that have left the tail", messages: 1_400, characters: 100, places: 300),
        new HistoryPages("escaped-pages", "pages of 200 messages whose every character is escaped", messages: 200, characters: 5_000, character: "\u0001"),
        new EmojiPages(),
        new ConversationLists(), new MemberPages(), new PresenceLookups(), new MemberPosts(), new StrangerPosts(), new BadPosts(),
        new Tickets(), new WrongPaths(), new Pages(), new HealthCalls(), new DevelopmentTokens(),
    ];

    /// <param name="only">Names, separated by commas; empty: all.</param>
    /// <exception cref="FormatException">A name is not one of ours.</exception>
    public static IReadOnlyList<Attack> Choose(string only)
    {
        var all = All();
        if (only.Length == 0)
        {
            return all;
        }

        return [.. only.Split(',').Select(name => all.FirstOrDefault(attack => attack.Name == name)
            ?? throw new FormatException($"There is no attack {name}: {string.Join(' ', all.Select(attack => attack.Name))}."))];
    }
}
