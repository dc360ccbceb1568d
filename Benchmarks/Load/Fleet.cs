using System.Buffers.Text;
using System.Diagnostics;
using System.Net;
using System.Text;
using AspireChat.WebSockets;

namespace AspireChat.Benchmarks.Load;

/// <summary>The result of one run of traffic.</summary>
internal sealed record Traffic(
    long Sent, long Expected, long Received, long Closed, long Refused, long WindowSent, long WindowReceived,
    double Seconds, double P50, double P99)
{
    public double Loss => Expected == 0 ? 0 : 1 - (double)Received / Expected;
}

/// <summary>
/// The clients of one scenario, all on the calling thread. They connect, join, send at an even pace and count what comes back. A message
/// carries the time at which it was sent, so each delivery gives a latency.
/// </summary>
internal sealed class Fleet(Dialect dialect, IReadOnlyList<Uri> servers, Func<string, string> token, string prefix)
    : IWireReader, IDisposable
{
    private const int Pending = 100;
    private const int ContentLength = 200;
    private const int TimeDigits = 16;
    private const int IndexDigits = 4;
    private const int NonceDigits = 16;
    private static readonly byte[] Marker = "~@"u8.ToArray();
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    private readonly Epoll _epoll = new();
    private readonly byte[] _buffer = new byte[1024 * 1024];
    private readonly List<WireConnection> _connections = [];
    private readonly LatencyHistogram _latencies = new();
    private long _answers;
    private long _received;
    private long _closed;
    private long _refused;
    private int _keptAlive;
    private long _aliveSince = Stopwatch.GetTimestamp();
    private ulong _nonce;

    public IReadOnlyList<WireConnection> Connections => _connections;

    /// <summary>The reason of the first connection that ended or message that was refused.</summary>
    public string? FirstFault { get; private set; }

    public long Received => _received;

    public long Closed => _closed;

    public long Refused => _refused;

    public LatencyHistogram Latencies => _latencies;

    /// <summary>Opens connections spread evenly over the servers, at most 100 at the same time.</summary>
    /// <param name="members">Connections per room, for dialects whose path names the room.</param>
    public void Open(int count, TimeSpan deadline, int members = 1)
    {
        var addresses = servers.Select(server => new IPEndPoint(IPAddress.Loopback, server.Port)).ToArray();
        var welcomed = _answers;
        var first = _connections.Count;
        var until = Deadline(deadline);
        while (_connections.Count - first < count || _answers - welcomed < count)
        {
            while (_connections.Count - first < count && _connections.Count - first - (_answers - welcomed) < Pending)
            {
                var index = _connections.Count;
                var connection = new WireConnection(index, $"{prefix}-{index}", addresses[index % addresses.Length]);
                _connections.Add(connection);
                _epoll.Watch(connection.Handle, Readiness.Readable, index);
                connection.Upgrade(dialect, servers[index % servers.Count].Authority, token(connection.User),
                    RoomOf(prefix, index / members));
            }
            Poll(20);
            Check(until, "opened", _answers - welcomed, count);
        }
    }

    /// <summary>Puts the connections from <paramref name="from"/> on into their rooms, <paramref name="members"/> into each.</summary>
    public void Join(int from, int members, TimeSpan deadline)
    {
        if (dialect.JoinsByPath)
        {
            return;
        }

        var joined = _answers;
        var until = Deadline(deadline);
        var count = _connections.Count - from;
        for (var i = 0; i < count || _answers - joined < count;)
        {
            while (i < count && i - (_answers - joined) < Pending)
            {
                _connections[from + i].Send(dialect.Join(RoomOf(prefix, (from + i) / members)));
                i++;
            }
            Poll(20);
            Check(until, "joined", _answers - joined, count);
        }
    }

    /// <summary>Reads and answers pings without sending anything.</summary>
    public void Idle(TimeSpan time)
    {
        var until = Deadline(time);
        while (Stopwatch.GetTimestamp() < until)
        {
            Poll(20);
        }
    }

    /// <summary>
    /// Sends for <paramref name="warmup"/> and <paramref name="window"/>, then waits for the messages that are under way.
    /// <paramref name="mark"/> is called at both ends of the window.
    /// </summary>
    public Traffic Run(Scenario scenario, TimeSpan warmup, TimeSpan window, Action mark)
    {
        var senders = Senders(scenario);
        var (receivedBefore, closedBefore, refusedBefore) = (_received, _closed, _refused);
        long sent = 0, windowSent = 0, windowReceived = 0, windowStart = 0;
        var seconds = 0.0;
        var start = Stopwatch.GetTimestamp();
        var measureFrom = start + Ticks(warmup);
        var end = measureFrom + Ticks(window);
        var gap = scenario.Rate == 0 ? 0 : Stopwatch.Frequency / (double)scenario.Rate;
        var due = start;
        while (true)
        {
            var now = Stopwatch.GetTimestamp();
            if (windowStart == 0 && now >= measureFrom)
            {
                mark();
                _latencies.Clear();
                (windowStart, windowSent, windowReceived) = (Stopwatch.GetTimestamp(), sent, _received);
            }
            if (now >= end)
            {
                break;
            }

            if (scenario.Rate == 0)
            {
                sent += SendWhatFits(senders, scenario.Window);
            }
            else
            {
                for (; due <= now; due = start + (long)(gap * sent))
                {
                    if (!TrySend(senders[sent % senders.Length], scenario.Window))
                    {
                        // The system is behind. What was due now is sent late and at the same pace.
                        start += now - due + Stopwatch.Frequency / 1000;
                        break;
                    }
                    sent++;
                }
                due = start + (long)(gap * sent);
            }
            Poll(scenario.Rate == 0 ? 1 : Math.Max(0, (int)((due - Stopwatch.GetTimestamp()) * 1000 / Stopwatch.Frequency)));
        }
        mark();
        seconds = Stopwatch.GetElapsedTime(windowStart).TotalSeconds;
        (windowSent, windowReceived) = (sent - windowSent, _received - windowReceived);
        var (p50, p99) = (_latencies.Milliseconds(0.5), _latencies.Milliseconds(0.99));

        var expected = sent * scenario.Members;
        var until = Deadline(TimeSpan.FromSeconds(5));
        while (_received - receivedBefore < expected && Stopwatch.GetTimestamp() < until)
        {
            Poll(5);
        }

        return new Traffic(sent, expected, _received - receivedBefore, _closed - closedBefore, _refused - refusedBefore, windowSent,
            windowReceived, seconds, p50, p99);
    }

    /// <summary>Waits at most this long for data, and reads what has arrived.</summary>
    public void Poll(int milliseconds)
    {
        var ready = _epoll.Wait(milliseconds);
        for (var i = 0; i < ready; i++)
        {
            _connections[(int)_epoll.Ready(i).Tag].Read(_buffer, this);
        }

        if (dialect.KeepAlive is { } alive)
        {
            StayAlive(alive);
        }
    }

    public void OnText(WireConnection connection, ReadOnlySpan<byte> text)
    {
        var at = text.IndexOf(Marker);
        if (at < 0)
        {
            OnNotice(connection, text);
            return;
        }
        var now = Stopwatch.GetTimestamp();
        while (at >= 0)
        {
            text = text[(at + Marker.Length)..];
            _ = Utf8Parser.TryParse(text[..TimeDigits], out ulong sentAt, out _, 'x');
            _ = Utf8Parser.TryParse(text.Slice(TimeDigits, IndexDigits), out uint sender, out _, 'x');
            _received++;
            _latencies.Record((now - (long)sentAt) * 1_000_000 / Stopwatch.Frequency);
            if (sender == connection.Index)
            {
                connection.Outstanding--;
            }

            text = text[(ContentLength - Marker.Length)..];
            at = text.IndexOf(Marker);
        }
    }

    public void OnUpgraded(WireConnection connection) => _answers += dialect.JoinsByPath ? 1 : 0;

    public void OnClosed(WireConnection connection, int code)
    {
        _closed++;
        FirstFault ??= $"a connection was closed ({code})";
    }

    /// <summary>Sends one message. False when the sender has as many under way as it may.</summary>
    public bool TrySend(Sender sender, int window)
    {
        if (sender.Connection.Outstanding >= window || !sender.Connection.IsOpen)
        {
            return false;
        }

        Write(sender.Frame, sender.TimeAt, (ulong)Stopwatch.GetTimestamp());
        if (sender.NonceAt > 0)
        {
            Write(sender.Frame, sender.NonceAt, ++_nonce);
        }

        if (!sender.Connection.Send(sender.Frame))
        {
            return false;
        }

        sender.Connection.Outstanding++;
        return true;
    }

    public Sender SenderOf(WireConnection connection, bool isDirect, string target)
    {
        var content = "~@" + new string('0', TimeDigits) + connection.Index.ToString("x4") + new string('x',
            ContentLength - Marker.Length - TimeDigits - IndexDigits);
        var frame = dialect.Message(isDirect, target, content, $"{connection.Index:x4}n{new string('0', NonceDigits)}");
        var nonceAt = frame.AsSpan().IndexOf(Encoding.ASCII.GetBytes($"\"{connection.Index:x4}n0"));
        return new Sender(connection, frame, frame.AsSpan().IndexOf(Marker) + Marker.Length, nonceAt < 0 ? 0 : nonceAt + 6);
    }

    public static string RoomOf(string prefix, int conversation) => $"{prefix}-r{conversation}";

    public void Dispose()
    {
        foreach (var connection in _connections)
        {
            connection.Dispose();
        }

        _epoll.Dispose();
    }

    /// <summary>
    /// The senders in the order in which they send: the first of every conversation, then the second of every conversation.
    /// </summary>
    private Sender[] Senders(Scenario scenario) =>
    [
        .. Enumerable.Range(0, scenario.Senders).SelectMany(member => Enumerable.Range(0, scenario.Conversations).Select(conversation =>
        {
            var connection = _connections[conversation * scenario.Members + member];
            var target = scenario.IsDirect
                ? _connections[conversation * scenario.Members + 1 - member].User
                : RoomOf(prefix, conversation);
            return SenderOf(connection, scenario.IsDirect, target);
        })),
    ];

    private long SendWhatFits(Sender[] senders, int window)
    {
        long sent = 0;
        foreach (var sender in senders)
        {
            while (TrySend(sender, window))
            {
                sent++;
            }
        }
        return sent;
    }

    private void OnNotice(WireConnection connection, ReadOnlySpan<byte> text)
    {
        switch (dialect.NoticeOf(text))
        {
            case Notice.Welcome or Notice.Joined:
                _answers++;
                break;
            case Notice.Failed:
                _refused++;
                FirstFault ??= Encoding.UTF8.GetString(text);
                break;
        }
    }

    /// <summary>The keep-alives are spread over the interval. Otherwise they would come as one burst.</summary>
    private void StayAlive(byte[] alive)
    {
        var share = Stopwatch.GetElapsedTime(_aliveSince) / KeepAlive;
        for (var upTo = (int)Math.Min(_connections.Count, share * _connections.Count); _keptAlive < upTo; _keptAlive++)
        {
            _connections[_keptAlive].Send(alive);
        }

        if (share < 1)
        {
            return;
        }

        (_keptAlive, _aliveSince) = (0, Stopwatch.GetTimestamp());
    }

    private void Check(long until, string done, long count, long wanted)
    {
        if (_closed > 0 || _refused > 0 || Stopwatch.GetTimestamp() > until)
        {
            throw new InvalidOperationException($"Only {count} of {wanted} were {done}: {FirstFault ?? "the rest got no answer"}.");
        }
    }

    private static void Write(byte[] frame, int at, ulong value) =>
        Utf8Formatter.TryFormat(value, frame.AsSpan(at), out _, new System.Buffers.StandardFormat('x', TimeDigits));

    private static long Deadline(TimeSpan time) => Stopwatch.GetTimestamp() + Ticks(time);

    private static long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);
}

/// <summary>One member that sends into one conversation: its frame, and where what differs from message to message stands in it.</summary>
internal sealed record Sender(WireConnection Connection, byte[] Frame, int TimeAt, int NonceAt);
