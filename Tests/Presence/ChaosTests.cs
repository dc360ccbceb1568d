using System.Text.Json.Nodes;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Presence;
using AspireChat.PresenceService;
using AspireChat.PresenceService.Reports;
using AspireChat.RedisLog;
using AspireChat.Tests.Servers;

namespace AspireChat.Tests.Presence;

/// <summary>
/// Random but repeatable lives of users on replicas that die, restart, repeat and reorder reports, with several services. In the end the
/// state in Redis, and what a client that heard every frame believes, must agree with the truth.
/// </summary>
[Collection(PresenceCollection.Name)]
[Trait("Needs", "Redis")]
public sealed class ChaosTests(RedisServer server)
{
    private static readonly string[] Users = [.. Enumerable.Range(0, 24).Select(i => $"u{i}")];
    private static readonly string[] Rooms = [.. Enumerable.Range(0, 6).Select(i => $"room{i}")];

    [Theory]
    [InlineData(1, 200)]
    [InlineData(2, 200)]
    [InlineData(3, 6)]
    [InlineData(4, 6)]
    [InlineData(5, 6)]
    [InlineData(6, 3)]
    [InlineData(7, 200)]
    [InlineData(8, 1)]
    public async Task Whatever_happens_Redis_and_the_listeners_have_the_truth_in_the_end(int seed, int nameThreshold)
    {
        await using var world = await PresenceWorld.StartAsync(server, new PresenceOptions { NameThreshold = nameThreshold });
        var random = new Random(seed);
        var services = Enumerable.Range(0, 3).Select(_ => world.CreateService()).ToArray();
        var replicas = Enumerable.Range(0, 3).Select(i => new ChaosReplica(world, $"r{i}")).ToArray();
        var members = new HashSet<(string Room, string User)>();
        var believed = Rooms.ToDictionary(room => room, _ => new Belief());

        foreach (var room in Rooms)
        {
            await world.Database.StringSetAsync(RedisKeys.Epoch(ConversationKey.Room(room).Partition), "e1");
        }

        for (var step = 0; step < 400; step++)
        {
            var replica = replicas[random.Next(replicas.Length)];
            var user = Users[random.Next(Users.Length)];
            var room = Rooms[random.Next(Rooms.Length)];
            switch (random.Next(12))
            {
                case < 4:
                    replica.Open(user);
                    break;
                case < 7:
                    replica.Close(user);
                    break;
                case 7 when replica.Alive:
                    members.Add((room, user));
                    await world.Database.HashSetAsync(RedisKeys.Members(ConversationKey.Room(room)), user, 0);
                    await world.MemberAsync(user, room);
                    replica.Changes[(room, user)] = true;
                    break;
                case 8:
                    members.Remove((room, user));
                    await world.Database.HashDeleteAsync(RedisKeys.Members(ConversationKey.Room(room)), user);
                    await world.Database.SetRemoveAsync(RedisKeys.UserRooms(user), room);
                    foreach (var other in replicas)
                    {
                        other.Changes[(room, user)] = false;
                    }

                    break;
                case 9 when random.Next(8) == 0:
                    replica.Kill();
                    break;
                case 10 when random.Next(3) == 0:
                    replica.Start();
                    break;
            }
            Rejoin();
            await Task.WhenAll(replicas.Where(_ => random.Next(3) > 0)
                .Select(each => each.ReportAsync(services[random.Next(3)].Handler, random.Next(10))));
            world.Time.Advance(TimeSpan.FromMilliseconds(random.Next(400)));
            await Task.WhenAll(services.Where(_ => random.Next(3) > 0).Select(service => service.Sweep.RunAsync(CancellationToken.None)));
            await HearAsync();
        }

        for (var i = 0; i < 100; i++)
        {
            world.Time.Advance(TimeSpan.FromMilliseconds(200));
            Rejoin();
            foreach (var each in replicas)
            {
                await each.ReportAsync(services[i % 3].Handler, lost: 9);
            }

            await services[i % 3].Sweep.RunAsync(CancellationToken.None);
        }
        await HearAsync();

        var online = Users.Where(user => replicas.Any(replica => replica.Alive && replica.Users.ContainsKey(user))).ToHashSet();
        var answered = await world.Queries.ReadAsync(Users, CancellationToken.None);
        Assert.Equal(Users.Select(online.Contains), answered.Select(presence => presence.Online));
        foreach (var room in Rooms)
        {
            var truth = online.Where(user => members.Contains((room, user))).Order(StringComparer.Ordinal).ToArray();
            Assert.Equal(truth, await world.OnlineInAsync(room));
            Assert.Equal(truth.Length, believed[room].Count);
            if (truth.Length <= nameThreshold)
            {
                Assert.Equal(truth, believed[room].Names.Order(StringComparer.Ordinal));
            }
        }

        void Rejoin()
        {
            // Clients repeat on another replica what a dead one had not reported.
            foreach (var dead in replicas.Where(replica => !replica.Alive))
            {
                if (replicas.FirstOrDefault(replica => replica.Alive) is not { } heir)
                {
                    continue;
                }

                foreach (var (key, _) in dead.Changes)
                {
                    heir.Changes[key] = members.Contains(key);
                }

                dead.Changes.Clear();
            }
        }

        async Task HearAsync()
        {
            foreach (var (_, text) in await world.HeardAsync())
            {
                var frame = JsonNode.Parse(text)!;
                var belief = believed[(string)frame["room"]!];
                var names = frame["users"]?.AsArray().Select(name => (string)name!) ?? [];
                if ((string)frame["type"]! == "online")
                {
                    belief.Names.UnionWith(names);
                }
                else
                {
                    belief.Names.ExceptWith(names);
                }

                belief.Count = (int)frame["count"]!;
            }
        }
    }

    private sealed class Belief
    {
        public HashSet<string> Names { get; } = [];

        public int Count { get; set; }
    }

    /// <summary>Reports like the real replica, with absolute counts and repeats until confirmed, but sometimes twice or too late.</summary>
    private sealed class ChaosReplica(PresenceWorld world, string name)
    {
        private readonly HashSet<string> _changed = [];
        private FakeReplica _reports = new(world, name);
        private PresenceReport? _earlier;
        private bool _full = true;

        public bool Alive { get; private set; } = true;

        public Dictionary<string, int> Users { get; } = [];

        public Dictionary<(string Room, string User), bool> Changes { get; } = [];

        public void Open(string user)
        {
            if (!Alive)
            {
                return;
            }

            Users[user] = Users.GetValueOrDefault(user) + 1;
            _changed.Add(user);
        }

        public void Close(string user)
        {
            if (!Alive || !Users.TryGetValue(user, out var connections))
            {
                return;
            }

            if (connections == 1)
            {
                Users.Remove(user);
            }
            else
            {
                Users[user] = connections - 1;
            }

            _changed.Add(user);
        }

        public void Kill()
        {
            Alive = false;
            Users.Clear();
            _changed.Clear();
        }

        public void Start()
        {
            if (Alive)
            {
                return;
            }

            (Alive, _full, _reports) = (true, true, new FakeReplica(world, name));
        }

        /// <param name="lost">With 0 the service hears the report but the answer is lost. With 1 an earlier report is heard again
        /// first.</param>
        public async Task ReportAsync(ReportHandler handler, int lost)
        {
            if (lost == 1 && _earlier is not null)
            {
                await handler.ApplyAsync(name, _earlier, CancellationToken.None);
            }

            if (!Alive)
            {
                return;
            }

            var (reports, sequence, full) = (_reports, _reports.Take(), _full);
            var users = (full ? Users.Keys : (IEnumerable<string>)_changed)
                .Select(user => new UserConnections(user, Users.GetValueOrDefault(user))).ToArray();
            var rooms = Changes.Select(change => new RoomMembership(change.Key.Room, change.Key.User, change.Value)).ToArray();
            var report = new PresenceReport(reports.Instance, sequence, full, users, rooms, []);
            _earlier = report;
            var answer = await handler.ApplyAsync(name, report, CancellationToken.None);
            if (lost == 0)
            {
                return;
            }

            _full = answer.NeedFull;
            if (answer.NeedFull)
            {
                return;
            }

            _changed.Clear();
            Changes.Clear();
        }
    }
}
