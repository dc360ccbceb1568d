using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>A line of a process's output.</summary>
public readonly record struct LogLine(int LineNumber, string Content, bool IsErrorMessage);

/// <summary>The latest 10,000 lines of each replica's output, and those to come. Thread-safe.</summary>
public class ResourceLoggerService : IDisposable
{
    private const int Backlog = 10_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Log> _logs = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The lines so far of one replica, by its id.</summary>
    public async IAsyncEnumerable<IReadOnlyList<LogLine>> GetAllAsync(string resourceName)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        IReadOnlyList<LogLine> lines;
        lock (_lock) lines = [.. LogOf(resourceName).Lines];
        yield return lines;
    }

    /// <summary>The lines so far of one replica, then each new one until the host ends.</summary>
    public async IAsyncEnumerable<IReadOnlyList<LogLine>> WatchAsync(
        string resourceName, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        // The oldest lines give way: a watcher that does not read must not keep a chatty process's output in memory.
        var watcher = Channel.CreateBounded<LogLine>(new BoundedChannelOptions(Backlog) { FullMode = BoundedChannelFullMode.DropOldest });
        lock (_lock)
        {
            foreach (var line in LogOf(resourceName).Lines) watcher.Writer.TryWrite(line);
            LogOf(resourceName).Watchers.Add(watcher);
        }

        try
        {
            await foreach (var line in watcher.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false)) yield return [line];
        }
        finally
        {
            lock (_lock) LogOf(resourceName).Watchers.Remove(watcher);
        }
    }

    public void Dispose()
    {
        lock (_lock)
            foreach (var watcher in _logs.Values.SelectMany(l => l.Watchers)) watcher.Writer.TryComplete();
        GC.SuppressFinalize(this);
    }

    internal void Add(string id, string content, bool isError)
    {
        lock (_lock)
        {
            var log = LogOf(id);
            var line = new LogLine(++log.Count, content, isError);
            log.Lines.Enqueue(line);
            if (log.Lines.Count > Backlog) log.Lines.Dequeue();
            foreach (var watcher in log.Watchers) watcher.Writer.TryWrite(line);
        }
    }

    internal IReadOnlyList<string> Last(string id, int count)
    {
        lock (_lock) return [.. LogOf(id).Lines.TakeLast(count).Select(l => l.Content)];
    }

    private Log LogOf(string id) => _logs.TryGetValue(id, out var log) ? log : _logs[id] = new Log();

    private sealed class Log
    {
        public Queue<LogLine> Lines { get; } = [];

        public List<Channel<LogLine>> Watchers { get; } = [];

        public int Count { get; set; }
    }
}
