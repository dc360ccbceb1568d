using System.ComponentModel.DataAnnotations;

namespace AspireChat.ServiceDefaults;

/// <summary>Which traces a service begins. Section <c>Tracing</c>; ConnectionService adds settings of its own for messages.</summary>
internal sealed class TracingOptions
{
    public const string Section = "Tracing";

    /// <summary>
    /// The part of the HTTP requests that begins a trace, 0 (none) to 1 (all): requests that bring no trace with them. Default 1. Health
    /// checks and sockets never do.
    /// </summary>
    [Range(0.0, 1.0)]
    public double RequestRatio { get; set; } = 1;
}
