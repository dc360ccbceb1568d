using System.Diagnostics;

namespace AspireChat.Benchmarks.Load;

/// <summary>The progress of a long command, written to the error stream.</summary>
internal sealed class ProgressBar(int steps)
{
    private const int Width = 30;

    private readonly long _started = Stopwatch.GetTimestamp();
    private int _done = -1;

    public void Next(string what)
    {
        _done++;
        var share = (double)_done / steps;
        var left = Stopwatch.GetElapsedTime(_started).TotalMinutes * (1 - share) / share;
        var bar = new string('#', (int)(share * Width)).PadRight(Width, '.');
        Write($"[{bar}] {_done}/{steps} {what}{(_done == 0 ? "" : $", about {left:N0} min left")}");
    }

    public void Say(string what) => Write(what);

    public void Done() =>
        Write($"[{new string('#', Width)}] {steps}/{steps} in {Stopwatch.GetElapsedTime(_started).TotalMinutes:N1} min\n");

    private static void Write(string line)
    {
        if (Console.IsErrorRedirected)
        {
            Console.Error.WriteLine(line);
        }
        else
        {
            Console.Error.Write($"\r{line.PadRight(110)}");
        }
    }
}
