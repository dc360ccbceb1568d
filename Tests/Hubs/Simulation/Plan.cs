using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Log;
using AspireChat.RedisLog;

namespace AspireChat.Tests.Hubs.Simulation;

/// <summary>What goes wrong in a simulation, in percent; and which bug is planted, to prove that the checks would find it.</summary>
internal sealed record Plan
{
    public static Plan Calm { get; } = new();

    public static Plan Rough { get; } = new() { Lost = 5, Repeated = 3, Overflow = 2, Unavailable = 5, Cuts = 1, Closes = 3 };

    public double Lost { get; init; }

    public double Repeated { get; init; }

    public double Overflow { get; init; }

    public double Unavailable { get; init; }

    /// <summary>Breaks of a replica's pub/sub connection.</summary>
    public double Cuts { get; init; }

    /// <summary>Sockets that break and come back.</summary>
    public double Closes { get; init; }

    /// <summary>Rebuilds of the log under a new epoch.</summary>
    public double Rebuilds { get; init; }

    /// <summary>Events that the log keeps for reading.</summary>
    public int TailLength { get; init; } = 1_000;

    /// <summary>Bytes of a client's outbound queue, and how seldom slow clients read.</summary>
    public int OutboundBytes { get; init; } = 1024 * 1024;

    public Bug Bug { get; init; }

    public bool Happens(Random random, double percent) => percent > 0 && random.NextDouble() * 100 < percent;

    public bool Swallows(HubMessage message) => Bug switch
    {
        Bug.NoHeadCheck => message is HubMessage.HeadsAnswer or HubMessage.Appended,
        Bug.NoRepair => message is HubMessage.RepairAnswer { Slice: not null } or HubMessage.ReplayAnswer { Slice: not null },
        Bug.DeafToOverflow => message is HubMessage.Overflowed or HubMessage.HeadsAnswer or HubMessage.Appended,
        _ => false,
    };

    public JoinResult Alter(JoinResult result) => Bug switch
    {
        Bug.JoinAhead => result with { Head = result.Head + 1 },
        Bug.JoinBehind => result with { Head = Math.Max(0, result.Head - 1) },
        _ => result,
    };

    public TailSlice Alter(TailSlice slice) => Bug switch
    {
        Bug.TailWithHole when slice.Events.Count > 2 => slice with { Events = [.. slice.Events.Take(1),
            .. slice.Events.Skip(2).Select((e, i) => e with { Seq = slice.Events[i + 1].Seq })] },
        Bug.TailAnswersEmpty => slice with { Events = [], Head = slice.Events.Count > 0 ? slice.Events[0].Seq - 1 : slice.Head,
            Complete = true },
        _ => slice,
    };
}

internal enum Bug
{
    None,

    /// <summary>Nobody compares heads: a lost last event stays lost.</summary>
    NoHeadCheck,

    /// <summary>A gap is seen but what the log answers is ignored.</summary>
    NoRepair,

    /// <summary>Messages dropped at the mailbox are forgotten.</summary>
    DeafToOverflow,

    /// <summary>The snapshot claims an event that has not happened.</summary>
    JoinAhead,

    /// <summary>The snapshot is older than the join.</summary>
    JoinBehind,

    /// <summary>A read of the tail skips an event and closes ranks.</summary>
    TailWithHole,

    /// <summary>A read of the tail says that there is nothing to repair.</summary>
    TailAnswersEmpty,
}
