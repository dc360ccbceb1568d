using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Log;
using BenchmarkDotNet.Attributes;

namespace AspireChat.Benchmarks.Micro;

/// <summary>Building one script call of many events, without the call. Figures are per event.</summary>
public class AppendBenchmarks
{
    private const int Events = 32;

    private readonly AppendBatch _batch = new(0, new ConversationLogOptions());

    [Benchmark(OperationsPerInvoke = Events)]
    public int Append_batch()
    {
        for (var i = 0; i < Events; i++)
        {
            _batch.Add(new AppendRequest(Samples.Event, RequireMember: false, Ignored.Instance));
        }

        var (keys, arguments) = _batch.ToCall(Samples.Event.Timestamp);
        _batch.Clear();
        return keys.Length + arguments.Length;
    }

    private sealed class Ignored : IAppendCompletion
    {
        public static Ignored Instance { get; } = new();

        public void Completed(ConversationEvent appended, AppendResult result)
        {
        }
    }
}
