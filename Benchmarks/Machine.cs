using System.Diagnostics;
using System.Runtime.InteropServices;

namespace AspireChat.Benchmarks;

/// <summary>Describes the machine, because a figure means nothing without it.</summary>
internal static class Machine
{
    public static string Describe()
    {
        var model = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim()
            : null;
        return $"{Environment.ProcessorCount} cores of {model ?? "unknown"}, {RuntimeInformation.OSDescription}, .NET {Environment.Version}";
    }

    /// <summary>User and kernel CPU time that a process has used.</summary>
    public static TimeSpan CpuOf(Process process)
    {
        process.Refresh();
        return process.TotalProcessorTime;
    }

    public static double Median(IEnumerable<double> values) => Quantile(values, 0.5);

    /// <summary>
    /// The value that a share of <paramref name="quantile"/> of all values does not exceed (nearest rank, the middle of two for the
    /// median).
    /// </summary>
    public static double Quantile(IEnumerable<double> values, double quantile)
    {
        var sorted = values.Order().ToArray();
        if (quantile == 0.5 && sorted.Length % 2 == 0)
        {
            return (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
        }

        return sorted[Math.Clamp((int)Math.Ceiling(quantile * sorted.Length) - 1, 0, sorted.Length - 1)];
    }
}
