using System.Diagnostics;
using OpenTelemetry.Trace;

namespace AspireChat.ServiceDefaults;

/// <summary>
/// Decides which spans may begin a trace; all others are recorded exactly when their parent is. A request that comes in may. One that goes
/// out (SQL, HTTP) may not: without somebody it is done for, it is polling, and there are a hundred of those for each message. A span of
/// our own may: its feature has decided already. Thread-safe.
/// </summary>
internal sealed class TraceRoots(double requestRatio) : Sampler
{
    private readonly TraceIdRatioBasedSampler _requests = new(requestRatio);

    public override SamplingResult ShouldSample(in SamplingParameters samplingParameters) => samplingParameters.Kind switch
    {
        ActivityKind.Client => new SamplingResult(SamplingDecision.Drop),
        ActivityKind.Server => _requests.ShouldSample(samplingParameters),
        _ => new SamplingResult(SamplingDecision.RecordAndSample),
    };
}
