using System.Buffers.Binary;
using System.Diagnostics;
using AspireChat.Chaos.Ledgers;

namespace AspireChat.Chaos.Simulation;

/// <summary>
/// Sequencing, repeated sends, gap repair, resume, persistence and wipes as a game of chance in memory, with the very ledger and check that
/// judge the real system: it shows in seconds that the check finds what it should, and nothing else.
/// </summary>
internal sealed class SimulatedRun
{
    private const string Conversation = "r:simulated";
    private const int Steps = 400;

    private readonly Random _random;
    private readonly PlantedBug _bug;
    private readonly Ledger _ledger = new();
    private readonly SimulatedLog _log;
    private readonly Node[] _nodes = [new(), new()];
    private readonly List<User> _users = [];
    private Dictionary<long, SimulatedEvent> _held = [];
    private ulong _ids;

    private SimulatedRun(int seed, PlantedBug bug)
    {
        _random = new Random(seed);
        _bug = bug;
        _log = new SimulatedLog(bug, NewId);
        for (var i = 0; i < 4; i++)
        {
            var user = new User($"u{i}", _ledger.View($"u{i}", Conversation));
            user.View.Begin(_log.Epoch, 0);
            _users.Add(user);
            Connect(user);
        }
    }

    /// <summary>Runs one seed and gives what the check found.</summary>
    public static Findings Run(int seed, PlantedBug bug = PlantedBug.None) => new SimulatedRun(seed, bug).Play();

    /// <summary>Runs seeds without a bug, then each planted bug until it is found. False when the check erred either way.</summary>
    public static bool Explore(ChaosOptions options, Action<string> say)
    {
        var (watch, wrong) = (Stopwatch.StartNew(), 0);
        for (var seed = options.Seed; seed < options.Seed + options.Seeds; seed++)
        {
            if (Run(seed) is not { Any: true } findings)
            {
                continue;
            }

            if (wrong++ < 5)
            {
                say($"seed {seed}: {findings}\n  {string.Join("\n  ", findings.Texts)}");
            }
        }
        var last = options.Seed + options.Seeds - 1;
        say($"seeds {options.Seed} to {last}: {wrong} of them with findings, in {watch.Elapsed.TotalSeconds:0.0} s");
        var right = wrong == 0;
        foreach (var bug in Enum.GetValues<PlantedBug>().Where(bug => bug != PlantedBug.None))
        {
            var (tried, caught) = (200, 0);
            Findings? first = null;
            for (var seed = options.Seed; seed < options.Seed + tried; seed++)
            {
                if (Run(seed, bug) is not { Any: true } findings)
                {
                    continue;
                }

                caught++;
                first ??= findings;
            }
            right &= caught > 0;
            say($"{bug}: caught by {caught} of {tried} seeds{(first is null ? "" : $", e.g. {first.Texts.First()}")}");
        }
        return right;
    }

    private Findings Play()
    {
        for (var step = 0; step < Steps; step++)
        {
            Step(trouble: true);
        }

        foreach (var user in _users)
        {
            user.Sends = false;
        }

        for (var step = 0; step < 20 * Steps && !IsQuiet(); step++)
        {
            Step(trouble: false);
        }

        if (!IsQuiet())
        {
            _ledger.Findings.Add(Breach.Unhealed, "it never became quiet");
        }

        var database = new Dictionary<string, IReadOnlyList<Stored>> { [Conversation] = [.. _log.Database.OrderBy(e => e.Seq)] };
        new LedgerCheck(_ledger, database).Run();
        return _ledger.Findings;
    }

    private bool IsQuiet() =>
        _log.IsSettled && _users.All(user =>
            user is { Waiting: null, Node: not null } && user.View.Last >= _log.Head && user.View.Epoch == _log.Epoch);

    private void Step(bool trouble)
    {
        var user = _users[_random.Next(_users.Count)];
        var node = _nodes[_random.Next(_nodes.Length)];
        switch (_random.Next(trouble ? 100 : 88))
        {
            case < 25:
                Send(user);
                break;
            case < 45:
                Append(node);
                break;
            case < 60:
                Hear(node);
                break;
            case < 66:
                CheckHead(node);
                break;
            case < 74:
                Connect(user);
                break;
            case < 79:
                _log.Read(_random.Next(1, 6));
                _held = _held.Count > 0 ? _held : _log.Hold();
                break;
            case < 86:
                _log.Commit(acknowledges: !trouble || _random.Next(4) > 0, _held);
                _held = [];
                break;
            case < 88:
                _log.Open();
                break;
            case < 90:
                _log.WriterDies();
                _held = [];
                break;
            case < 94:
                Disconnect(user);
                break;
            case < 96:
                Die(node);
                break;
            case < 98:
                // Pub/sub was away for a moment.
                node.Inbox.Clear();
                break;
            default:
                if (_random.Next(6) == 0)
                {
                    Wipe();
                }

                break;
        }
    }

    private void Send(User user)
    {
        if (user.Waiting is null && user.Sends)
        {
            user.Waiting = $"{user.Name}-{user.Order++}";
        }

        if (user is { Waiting: { } nonce, Node: { } node, IsUnderWay: false })
        {
            user.IsUnderWay = true;
            node.Queue.Enqueue((user, nonce, user.Connection));
        }
    }

    private void Append(Node node)
    {
        if (!node.Queue.TryDequeue(out var send))
        {
            return;
        }

        if (_bug == PlantedBug.AckBeforeAppend && _log.Epoch is not null)
        {
            Answer(send.User, send.Nonce, send.Connection, new SimulatedEvent(_log.Head + 1, NewId(), send.User.Name, send.Nonce));
            if (_random.Next(10) == 0)
            {
                return;
            }
        }
        var head = _log.Head;
        if (_log.Append(send.User.Name, send.Nonce) is not { } e)
        {
            // Unavailable: the user tries again.
            if (send.Connection == send.User.Connection)
            {
                send.User.IsUnderWay = false;
            }

            return;
        }
        if (_log.Head > head)
        {
            foreach (var other in _nodes)
            {
                other.Inbox.Enqueue((_log.Epoch!, e));
            }
        }
        // The answer may be lost with the connection: then the user repeats the send.
        if (_random.Next(8) == 0)
        {
            Disconnect(send.User);
        }
        else
        {
            Answer(send.User, send.Nonce, send.Connection, e);
        }
    }

    private void Answer(User user, string nonce, int connection, SimulatedEvent e)
    {
        if (user.Connection != connection || user.Waiting != nonce)
        {
            return;
        }

        _ledger.Acknowledge(new Acknowledged(Conversation, _log.Epoch, e.Seq, e.Id, user.Name, nonce, 0, user.Order));
        (user.Waiting, user.IsUnderWay) = (null, false);
    }

    private void Hear(Node node)
    {
        if (!node.Inbox.TryDequeue(out var message) || node.Epoch is null)
        {
            return;
        }

        if (message.Epoch != node.Epoch)
        {
            CheckHead(node);
        }
        else if (message.Event.Seq == node.Last + 1 || (_bug == PlantedBug.NoGapRepair && message.Event.Seq > node.Last))
        {
            Deliver(node, message.Event);
        }
        else if (message.Event.Seq > node.Last)
        {
            CheckHead(node);
        }
    }

    /// <summary>The node compares its place with the log's, and reads what it missed.</summary>
    private void CheckHead(Node node)
    {
        if (node.Epoch is null || _log.Epoch is not { } epoch)
        {
            return;
        }

        if (node.Epoch != epoch)
        {
            (node.Epoch, node.Last) = (epoch, _log.Head);
            foreach (var user in _users.Where(user => user.Node == node))
            {
                Reload(user);
            }

            return;
        }
        if (_bug == PlantedBug.NoGapRepair)
        {
            node.Last = Math.Max(node.Last, _log.Head);
            return;
        }
        foreach (var e in _log.After(node.Last).ToList())
        {
            Deliver(node, e);
        }
    }

    private void Deliver(Node node, SimulatedEvent e)
    {
        node.Last = e.Seq;
        foreach (var user in _users.Where(user => user.Node == node && user.Position < e.Seq))
        {
            Deliver(user, e);
        }
    }

    private void Deliver(User user, SimulatedEvent e)
    {
        user.Position = e.Seq;
        user.View.Deliver(user.View.Epoch, e.Seq, e.Id, e.Nonce);
    }

    /// <summary>Resumes with the cursor: the missed events, or a reload when the log is another one.</summary>
    private void Connect(User user)
    {
        if (user.Node is not null || _log.Epoch is not { } epoch)
        {
            return;
        }

        var node = _nodes[_random.Next(_nodes.Length)];
        if (node.Epoch is null)
        {
            (node.Epoch, node.Last) = (epoch, _log.Head);
        }
        // Whoever knows the log better than the node does not come in before the node has looked.
        if (node.Epoch != epoch)
        {
            CheckHead(node);
        }

        user.Node = node;
        user.Connection++;
        if (user.View.Epoch != epoch || user.View.Last > _log.Head)
        {
            Reload(user);
            return;
        }
        user.Position = user.View.Last;
        foreach (var e in _log.After(user.Position).ToList())
        {
            Deliver(user, e);
        }
    }

    private void Reload(User user)
    {
        user.Position = _log.Head;
        user.View.Reload(_log.Epoch!);
        user.View.Restore(0, [.. _log.After(0).Select(e => (e.Seq, e.Id))]);
    }

    private static void Disconnect(User user)
    {
        if (user.Node is null)
        {
            return;
        }

        (user.Node, user.IsUnderWay) = (null, false);
        user.Connection++;
    }

    private void Die(Node node)
    {
        foreach (var user in _users.Where(user => user.Node == node))
        {
            Disconnect(user);
        }

        node.Queue.Clear();
        node.Inbox.Clear();
        (node.Epoch, node.Last) = (null, 0);
    }

    private void Wipe()
    {
        if (_log.Epoch is { } epoch)
        {
            _ledger.Wipe(epoch);
        }

        _log.Wipe();
        _held = [];
    }

    private Guid NewId()
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, ++_ids);
        return new Guid(bytes);
    }

    private sealed class Node
    {
        public Queue<(User User, string Nonce, int Connection)> Queue { get; } = new();

        public Queue<(string Epoch, SimulatedEvent Event)> Inbox { get; } = new();

        /// <summary>Null: it follows nothing yet.</summary>
        public string? Epoch { get; set; }

        public long Last { get; set; }
    }

    private sealed class User(string name, MemberView view)
    {
        public string Name => name;

        public MemberView View => view;

        public Node? Node { get; set; }

        public int Connection { get; set; }

        public long Position { get; set; }

        public long Order { get; set; }

        public bool Sends { get; set; } = true;

        /// <summary>The nonce of the send that is not answered yet.</summary>
        public string? Waiting { get; set; }

        public bool IsUnderWay { get; set; }
    }
}
