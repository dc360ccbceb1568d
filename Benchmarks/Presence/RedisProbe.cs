using System.Globalization;
using System.Net.Sockets;
using System.Text;
using StackExchange.Redis;

namespace AspireChat.Benchmarks.Presence;

/// <summary>Redis commands per second over a time.</summary>
/// <param name="All">Commands of all services, from INFO commandstats. Those inside scripts count too.</param>
/// <param name="Calls">Commands of presence that clients sent, known by their keys. A script counts as one.</param>
/// <param name="InScripts">Commands inside the scripts of presence.</param>
internal sealed record CommandRates(double All, double Calls, double InScripts);

/// <summary>Counts the commands that Redis runs.</summary>
internal sealed class RedisProbe : IDisposable
{
    private const string PresenceKeys = "{presence}:";

    private readonly ConfigurationOptions _options;
    private readonly ConnectionMultiplexer _redis;

    public RedisProbe(string connectionString)
    {
        _options = ConfigurationOptions.Parse(connectionString);
        _options.AllowAdmin = true;
        _redis = ConnectionMultiplexer.Connect(_options);
    }

    private IServer Server => _redis.GetServers()[0];

    /// <summary>Counts while <paramref name="act"/> runs. MONITOR costs Redis some CPU, so CPU must not be measured meanwhile.</summary>
    public CommandRates Count(TimeSpan time, Action<TimeSpan> act)
    {
        var (host, port) = ((System.Net.DnsEndPoint)_options.EndPoints[0]) is var end ? (end.Host, end.Port) : default;
        using var monitor = new TcpClient(host, port);
        var stream = monitor.GetStream();
        stream.Write(Encoding.ASCII.GetBytes($"AUTH {_options.Password}\r\nMONITOR\r\n"));
        long calls = 0, inScripts = 0;
        var reading = new Thread(() =>
        {
            try
            {
                using var lines = new StreamReader(stream, Encoding.ASCII);
                while (lines.ReadLine() is { } line)
                {
                    if (!line.Contains(PresenceKeys, StringComparison.Ordinal))
                    {
                        continue;
                    }

                    if (line.Contains(" lua] ", StringComparison.Ordinal))
                    {
                        inScripts++;
                    }
                    else
                    {
                        calls++;
                    }
                }
            }
            catch (IOException)
            {
                // The connection was closed below because the count is over.
            }
        });
        reading.Start();
        var before = Total();
        act(time);
        var all = Total() - before;
        monitor.Close();
        reading.Join();
        return new CommandRates(all / time.TotalSeconds, calls / time.TotalSeconds, inScripts / time.TotalSeconds);
    }

    public void FlushAll() => Server.FlushAllDatabases();

    public void Dispose() => _redis.Dispose();

    private long Total() => Server.Info("commandstats").SelectMany(section => section)
        .Sum(pair => long.Parse(pair.Value.Split('=', ',')[1], CultureInfo.InvariantCulture));
}
