using System.ComponentModel.DataAnnotations;

namespace AspireChat.LocalHost.Running;

/// <summary>
/// Settings of the local host, section <c>LocalHost</c>: <c>--LocalHost:RestartCrashed=false</c>, <c>LocalHost__DataDirectory=…</c>.
/// </summary>
public sealed class LocalHostOptions
{
    public const string Section = "LocalHost";

    /// <summary>
    /// Where servers keep their data and generated secrets from run to run. Default: <c>artifacts/data</c> beside the AppHost's directory.
    /// One host at a time may use it.
    /// </summary>
    public string? DataDirectory { get; set; }

    /// <summary>Uses a new directory that is removed at the end; what the testing builder does unless a directory is named.</summary>
    public bool TemporaryData { get; set; }

    /// <summary>
    /// Starts a process that ended by itself again, on the same port, after a backoff of 0.5 s that doubles up to 15 s. Default true.
    /// </summary>
    public bool RestartCrashed { get; set; } = true;

    /// <summary>How long a process may take to stop when asked, in seconds, before it is killed. Default 15, range 0–300.</summary>
    [Range(0, 300)]
    public int StopSeconds { get; set; } = 15;

    /// <summary>Prints progress and the processes' output. Default true; the testing builder turns it off.</summary>
    public bool Console { get; set; } = true;

    /// <summary>Also writes each process's output to <c>NAME.log</c> in this directory. Default: nowhere.</summary>
    public string? LogDirectory { get; set; }
}
