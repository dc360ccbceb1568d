using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;

namespace AspireChat.Tests.Hubs.Simulation;

/// <summary>
/// Two replicas, a log and some clients, driven step by step in an order drawn from a seed: hub messages, calls to Redis and their answers,
/// messages on the wire, clients that read fast or slowly. The same seed gives the same run.
/// </summary>
internal sealed class Simulation
{
    private static readonly string[] Rooms = ["lobby", "dev", "ops"];
    private static readonly string[] Users = ["alice", "bob", "carol", "dave"];

    private readonly Random _random;
    private readonly Plan _plan;
    private readonly SimulatedLog _log;
    private readonly List<SimulatedNode> _nodes = [];
    private readonly List<SimulatedClient> _clients = [];
    private int _sent;

    public Simulation(int seed, Plan plan)
    {
        _random = new Random(seed);
        _plan = plan;
        _log = new SimulatedLog(plan.TailLength) { Publish = (channel, message) => _nodes.ForEach(node => node.Publish(channel, message)) };
        // Small and quick, so that rings are passed, rooms given up and heads checked within a run.
        var options = new HubOptions { RingEvents = 6, AheadEvents = 4, ReplayEvents = 12, Linger = TimeSpan.FromSeconds(1),
            HeadCheckBatch = 2 };
        for (var i = 0; i < 2; i++)
        {
            _nodes.Add(new SimulatedNode(_log, options, _random, plan));
        }
        // Two devices of the first user.
        foreach (var user in Users.Append(Users[0]))
        {
            _clients.Add(new SimulatedClient(user, _log, plan.OutboundBytes));
        }
    }

    public int Events => _clients.Sum(client => client.Events);

    public int TooSlow => _clients.Sum(client => client.TooSlow);

    public int Closes => _clients.Sum(client => client.Closes);

    /// <exception cref="BrokenPromiseException">A promise was broken.</exception>
    public void Run(int steps)
    {
        for (var i = 0; i < steps; i++)
        {
            Step();
        }

        Settle();
        foreach (var client in _clients)
        {
            client.CheckComplete();
        }
    }

    private void Step()
    {
        switch (_random.Next(100))
        {
            case < 50:
                Pick(_nodes).Step();
                break;
            case < 75:
                Read(Pick(_clients));
                break;
            case < 80:
                Pick(_nodes).Tick(_random.Next(20, 200));
                break;
            case < 98:
                Act(Pick(_clients));
                break;
            default:
                Fault();
                break;
        }
    }

    private void Act(SimulatedClient client)
    {
        if (!client.IsConnected)
        {
            client.Connect(Pick(_nodes));
            return;
        }
        if (!client.IsReady)
        {
            return;
        }

        switch (_random.Next(12))
        {
            case < 3:
                client.Join(Pick(Rooms));
                break;
            case 3:
                client.Leave(Pick(Rooms));
                break;
            case 4:
                client.ResumeDirect(Pick(Users));
                break;
            case < 7:
                Send(client, ConversationKey.Direct(client.User, Pick(Users)));
                break;
            default:
                foreach (var room in client.JoinedRooms.Take(1))
                {
                    Send(client, ConversationKey.Room(room));
                }

                break;
        }
    }

    private void Send(SimulatedClient client, ConversationKey key) => client.Node!.Send(client.Connection!, new ConversationEvent
    {
        Kind = key.IsRoom ? EventKind.Room : EventKind.Dm,
        Conversation = key,
        Id = new Guid(++_sent, 0, 0, new byte[8]),
        From = client.User,
        Nonce = $"n{_sent}",
        Content = $"content {_sent}",
        Timestamp = _sent,
    });

    private void Fault()
    {
        if (_plan.Happens(_random, _plan.Cuts * 10) && Pick(_nodes) is { Connected: true } cut)
        {
            cut.Disconnect();
        }

        foreach (var node in _nodes.Where(node => !node.Connected && _random.Next(3) == 0))
        {
            node.Reconnect();
        }

        if (_plan.Happens(_random, _plan.Closes * 10) && Pick(_clients) is { IsConnected: true } closed)
        {
            closed.Disconnect();
        }

        if (_plan.Happens(_random, _plan.Rebuilds * 10))
        {
            _log.Rebuild(_random.Next(3));
        }
    }

    private void Read(SimulatedClient client)
    {
        if (client.CanRead)
        {
            client.Read();
        }
        else if (client.IsRefused)
        {
            client.Disconnect();
        }
    }

    /// <summary>
    /// Nothing goes wrong any more, and everything under way comes to its end; time passes until the last head is checked.
    /// </summary>
    private void Settle()
    {
        foreach (var node in _nodes.Where(node => !node.Connected))
        {
            node.Reconnect();
        }

        var rounds = _plan.Bug == Bug.None ? 60 : 30;
        for (var round = 0; round < rounds; round++)
        {
            Drain();
            foreach (var client in _clients.Where(client => !client.IsConnected))
            {
                client.Connect(Pick(_nodes));
            }

            foreach (var node in _nodes)
            {
                node.Tick(100);
            }
        }
        Drain();
    }

    private void Drain()
    {
        for (var i = 0; i < 20_000; i++)
        {
            var moved = false;
            foreach (var node in _nodes)
            {
                moved |= node.Step();
            }

            foreach (var client in _clients)
            {
                if (!client.CanRead && !client.IsRefused)
                {
                    continue;
                }

                Read(client);
                moved = true;
            }
            if (!moved)
            {
                return;
            }
        }
        throw new BrokenPromiseException("the system never comes to rest");
    }

    private T Pick<T>(IReadOnlyList<T> choices) => choices[_random.Next(choices.Count)];
}
