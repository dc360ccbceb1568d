using System.Globalization;

namespace AspireChat.Benchmarks.Load;

/// <summary>One figure over all rounds: its median, and the least and the greatest value.</summary>
internal readonly record struct Spread(double Median, double Least, double Most)
{
    /// <exception cref="InvalidOperationException">There are no values.</exception>
    public static Spread Of(IEnumerable<double> values)
    {
        var all = values.ToArray();
        return new Spread(Machine.Median(all), all.Min(), all.Max());
    }

    /// <summary>How far the values lie apart, as a share of the median.</summary>
    public double Share => (Most - Least) / Median;

    /// <summary>The median, and the range behind it where there is one: <c>8.2 (7.9–8.6)</c>.</summary>
    public string Text(string format = "N1")
    {
        string Number(double value) => value.ToString(format, CultureInfo.InvariantCulture);
        var (least, most) = (Number(Least), Number(Most));
        return least == most ? Number(Median) : $"{Number(Median)} ({least}–{most})";
    }
}
