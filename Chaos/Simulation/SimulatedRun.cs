using System.Buffers.Binary;
using AspireChat.Chaos.Ledgers;

namespace AspireChat.Chaos.Simulation;

/// <summary>
/// One seed of a simulation in memory: sequencing, repeated sends, gap repair, resume, persistence and wipes, with the ledger and the check
/// that judge the real system. It shows in seconds that the check finds the faults that it should find, and no others.
/// </summary>
internal sealed class SimulatedRun
{
    private const string Conversation = "r:simulated";
    private const int Steps = 400;

    private readonly Random _random;
    private readonly PlantedBug _bug;
    private readonly Ledger _ledger = new();
    private readonly SimulatedLog _log;
    private readonly SimulatedNode[] _nodes;
    private readonly List<SimulatedUser> _users = [];
    private Dictionary<long, SimulatedEvent> _held = [];
    private ulong _ids;

    private SimulatedRun(int seed, PlantedBug bug)
    {
        _random = new Random(seed);
        _bug = bug;
        _log = new SimulatedLog(bug, NewId);
        _nodes = [new(_log, bug, _users), new(_log, bug, _users)];
        for (var i = 0; i < 4; i++)
        {
            var user = new SimulatedUser($"u{i}", _ledger.View($"u{i}", Conversation), _log);
            user.View.Begin(_log.Epoch, 0);
            _users.Add(user);
            Connect(user);
        }
    }

    /// <summary>Runs one seed and returns what the check found.</summary>
    public static Findings Run(int seed, PlantedBug bug = PlantedBug.None) => new SimulatedRun(seed, bug).Play();

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
            _ledger.Findings.Add(Breach.Unhealed, "the simulation never became quiet");
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
                node.Hear();
                break;
            case < 66:
                node.CheckHead();
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
                user.Disconnect();
                break;
            case < 96:
                node.Die();
                break;
            case < 98:
                // Pub/sub failed for a moment, so what was published is lost.
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

    private void Send(SimulatedUser user)
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

    private void Append(SimulatedNode node)
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
            // The log is unavailable, so the user sends again.
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
        // The answer may be lost with the connection. The user then repeats the send.
        if (_random.Next(8) == 0)
        {
            send.User.Disconnect();
        }
        else
        {
            Answer(send.User, send.Nonce, send.Connection, e);
        }
    }

    private void Answer(SimulatedUser user, string nonce, int connection, SimulatedEvent e)
    {
        if (user.Connection != connection || user.Waiting != nonce)
        {
            return;
        }

        _ledger.Acknowledge(new Acknowledged(Conversation, _log.Epoch, e.Seq, e.Id, user.Name, nonce, 0, user.Order));
        (user.Waiting, user.IsUnderWay) = (null, false);
    }

    private void Connect(SimulatedUser user)
    {
        if (user.Node is null && _log.Epoch is not null)
        {
            user.Connect(_nodes[_random.Next(_nodes.Length)]);
        }
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
}
