using System.ComponentModel.DataAnnotations;

namespace AspireChat.ServiceDefaults;

/// <summary>Which traces a service begins. Section <c>Tracing</c>; ConnectionService adds settings of its own for messages.</summary>
internal sealed class TracingOptions
{
    public const string Section = "Tracing";

    /// <summary>
    /// The part of the HTTP requests that begins a trace, from 0 (none) to 1 (all, the default). It counts for requests that bring no trace
    /// with them. Health checks and sockets never begin one.
    /// </summary>
    [Range(0.0, 1.0)]
    public double RequestRatio { get; set; } = 1;
}
