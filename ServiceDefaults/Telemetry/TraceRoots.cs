using System.Diagnostics;
using OpenTelemetry.Trace;

namespace AspireChat.ServiceDefaults;

/// <summary>
/// Decides which spans may begin a trace; all others are recorded exactly when their parent is. A request that comes in may, and a message
/// that is sent, whose sender has decided already. Nothing else: SQL and HTTP that are done for nobody are polling, and the proxy's health
/// checks call themselves consumers; there are a hundred of those for each message. Thread-safe.
/// </summary>
internal sealed class TraceRoots(double requestRatio) : Sampler
{
    private readonly TraceIdRatioBasedSampler _requests = new(requestRatio);

    public override SamplingResult ShouldSample(in SamplingParameters samplingParameters) => samplingParameters.Kind switch
    {
        ActivityKind.Producer => new SamplingResult(SamplingDecision.RecordAndSample),
        ActivityKind.Server => _requests.ShouldSample(samplingParameters),
        _ => new SamplingResult(SamplingDecision.Drop),
    };
}
