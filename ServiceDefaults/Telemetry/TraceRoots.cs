using System.Diagnostics;
using OpenTelemetry.Trace;

namespace AspireChat.ServiceDefaults;

/// <summary>
/// Decides which spans may begin a trace. All others are recorded exactly when their parent is. A request that comes in may begin one, and
/// so may a message that is sent (its sender has decided already). Nothing else may: SQL and HTTP without a parent are polling, and the
/// proxy's health checks call themselves consumers. There are a hundred of those for each message. Thread-safe.
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
