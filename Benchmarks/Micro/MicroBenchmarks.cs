using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace AspireChat.Benchmarks.Micro;

/// <summary>
/// Each part of a message's way on its own: time and allocated bytes per frame, event or batch.
/// </summary>
internal static class MicroBenchmarks
{
    private static readonly Type[] All =
    [
        typeof(FrameBenchmarks), typeof(CodecBenchmarks), typeof(InboundBenchmarks), typeof(AppendBenchmarks), typeof(FanOutBenchmarks),
        typeof(BatchWriterBenchmarks), typeof(BudgetBenchmarks),
    ];

    /// <param name="args">BenchmarkDotNet's own arguments, such as <c>--filter *FanOut*</c>. Without any, all benchmarks run.</param>
    public static int Run(string[] args)
    {
        Console.WriteLine(Machine.Describe());
        // The benchmarks run in this process, because BenchmarkDotNet's generated project would not know how this repository builds.
        var config = ManualConfig.CreateEmpty()
            .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
            .AddDiagnoser(MemoryDiagnoser.Default)
            .AddColumnProvider(DefaultColumnProviders.Instance)
            .HideColumns(Column.InvocationCount, Column.UnrollFactor, Column.Gen1)
            .AddLogger(ConsoleLogger.Default)
            .AddExporter(MarkdownExporter.GitHub)
            .WithOptions(ConfigOptions.JoinSummary)
            .WithArtifactsPath(Path.Combine("artifacts", "micro"));
        var summaries = BenchmarkSwitcher.FromTypes(All).Run(args.Length > 0 ? args : ["--filter", "*"], config);
        return summaries.Any(summary => summary.HasCriticalValidationErrors || summary.Reports.Any(report => !report.Success)) ? 1 : 0;
    }
}
