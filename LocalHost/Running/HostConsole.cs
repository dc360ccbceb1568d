using System.Globalization;
using Microsoft.Extensions.Options;

namespace AspireChat.LocalHost.Running;

/// <summary>What the person at the terminal sees. Colours only on a terminal and without NO_COLOR. Thread-safe.</summary>
internal sealed class HostConsole : IDisposable
{
    private static readonly string[] Palette = ["36", "33", "35", "32", "34", "96", "93", "95", "92", "94"];

    private readonly Lock _lock = new();
    private readonly bool _enabled;
    private readonly bool _colour;
    private readonly string? _logDirectory;
    private readonly Dictionary<string, string> _colours = [];
    private readonly Dictionary<string, StreamWriter> _logs = [];
    private int _width = 8;

    public HostConsole(IOptions<LocalHostOptions> options)
    {
        _enabled = options.Value.Console;
        _logDirectory = options.Value.LogDirectory;
        _colour = !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
    }

    public void Name(IEnumerable<string> ids)
    {
        foreach (var id in ids)
        {
            _colours[id] = Palette[_colours.Count % Palette.Length];
            _width = Math.Max(_width, id.Length);
        }
    }

    /// <summary>A line that a process wrote.</summary>
    public void Log(string id, string line)
    {
        lock (_lock)
        {
            if (_enabled) Console.Out.WriteLine($"{Paint(id.PadRight(_width), _colours.GetValueOrDefault(id, "37"))} | {line}");
            if (_logDirectory is not null) LogFile(id).WriteLine(line);
        }
    }

    /// <summary>A resource came to a new state.</summary>
    public void Progress(string id, string state, string? address, TimeSpan elapsed)
    {
        var mark = state switch
        {
            "healthy" or "running" or "finished" => Paint("●", "32"),
            "starting" or "waiting" => Paint("○", "90"),
            _ => Paint("●", "31"),
        };
        var seconds = elapsed.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
        Line($"{mark} {Paint(id.PadRight(_width), _colours.GetValueOrDefault(id, "37"))}  {state,-9} {address ?? "-",-30} {seconds,6} s");
    }

    public void Line(string line)
    {
        if (!_enabled) return;
        lock (_lock) Console.Out.WriteLine(line);
    }

    /// <summary>One line on the error stream, also when the console is off: the start failed and this says why.</summary>
    public void Error(string message)
    {
        lock (_lock) Console.Error.WriteLine(_colour && !Console.IsErrorRedirected ? $"\e[31merror:\e[0m {message}" : $"error: {message}");
    }

    public string Bold(string text) => Paint(text, "1");

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var log in _logs.Values) log.Dispose();
            _logs.Clear();
        }
    }

    private StreamWriter LogFile(string id)
    {
        if (_logs.TryGetValue(id, out var log)) return log;
        Directory.CreateDirectory(_logDirectory!);
        return _logs[id] = new StreamWriter(Path.Combine(_logDirectory!, $"{id}.log"), append: true) { AutoFlush = true };
    }

    private string Paint(string text, string code) => _colour ? $"\e[{code}m{text}\e[0m" : text;
}
