using System.Globalization;
using System.Text;

namespace AspireChat.Chaos.Hostile;

/// <summary>The resident memory of each process, second by second over a whole run, and what was attacked when. Thread-safe.</summary>
internal sealed class MemoryCurve(TimeProvider time)
{
    private const int Width = 960, Height = 360, Left = 60, Top = 20, Bottom = 40, Legend = 150;

    private static readonly string[] Colours =
        ["#2563eb", "#0ea5e9", "#16a34a", "#ca8a04", "#dc2626", "#9333ea", "#64748b", "#db2777", "#0d9488", "#78350f"];

    private readonly long _began = time.GetTimestamp();
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, SortedDictionary<int, double>> _samples = new(StringComparer.Ordinal);
    private readonly SortedDictionary<int, string> _attacks = [];

    private int Now => (int)time.GetElapsedTime(_began).TotalSeconds;

    /// <summary>From now on this is attacked; an empty name: nothing.</summary>
    public void Begin(string attack)
    {
        lock (_gate)
        {
            _attacks[Now] = attack;
        }
    }

    /// <summary>Of several in a second the largest counts.</summary>
    public void Add(string process, double megabytes)
    {
        lock (_gate)
        {
            if (!_samples.TryGetValue(process, out var own))
            {
                _samples.Add(process, own = []);
            }

            own[Now] = Math.Max(megabytes, own.GetValueOrDefault(Now));
        }
    }

    /// <summary>A line for each second: what was attacked, and the megabytes of each process.</summary>
    public string ToCsv()
    {
        lock (_gate)
        {
            var text = new StringBuilder("second,attack,").AppendJoin(',', _samples.Keys).AppendLine();
            foreach (var second in _samples.Values.SelectMany(own => own.Keys).Distinct().Order())
            {
                text.Append(CultureInfo.InvariantCulture, $"{second},{_attacks.LastOrDefault(attack => attack.Key <= second).Value}");
                foreach (var own in _samples.Values)
                {
                    text.Append(',').Append(own.TryGetValue(second, out var megabytes)
                        ? megabytes.ToString("0.0", CultureInfo.InvariantCulture)
                        : "");
                }

                text.AppendLine();
            }
            return text.ToString();
        }
    }

    /// <summary>The same as a picture.</summary>
    public string ToSvg()
    {
        lock (_gate)
        {
            var culture = CultureInfo.InvariantCulture;
            var last = Math.Max(1, _samples.Values.SelectMany(own => own.Keys).DefaultIfEmpty().Max());
            var most = 100 * Math.Ceiling(Math.Max(1, _samples.Values.SelectMany(own => own.Values).DefaultIfEmpty().Max()) / 100);
            double X(int second) => Left + (double)second / last * (Width - Left - Legend);
            double Y(double megabytes) => Height - Bottom - (megabytes / most * (Height - Top - Bottom));
            var text = new StringBuilder();
            text.AppendLine(culture, $"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Height}" font-family="sans-serif" font-size="11">""");
            text.AppendLine(culture, $"""<rect width="{Width}" height="{Height}" fill="#ffffff"/>""");
            foreach (var (begin, attack) in _attacks.Where(attack => attack.Value.Length > 0))
            {
                var end = _attacks.Keys.Where(second => second > begin).DefaultIfEmpty(last).First();
                text.AppendLine(culture, $"""<rect x="{X(begin):0.0}" y="{Top}" width="{X(end) - X(begin):0.0}" height="{Height - Top - Bottom}" fill="#fee2e2"><title>{attack}</title></rect>""");
            }
            for (var line = 0; line <= 4; line++)
            {
                var megabytes = most * line / 4;
                text.AppendLine(culture, $"""<path d="M{Left} {Y(megabytes):0.0}H{Width - Legend}" stroke="#e2e8f0"/><text x="{Left - 6}" y="{Y(megabytes) + 4:0.0}" text-anchor="end">{megabytes:0} MB</text>""");
                text.AppendLine(culture, $"""<text x="{X(last * line / 4):0.0}" y="{Height - Bottom + 16}" text-anchor="middle">{last * line / 4} s</text>""");
            }
            foreach (var ((process, own), i) in _samples.Select((sample, i) => (sample, i)))
            {
                var colour = Colours[i % Colours.Length];
                var points = string.Join(' ', own.Select(sample => string.Create(culture, $"{X(sample.Key):0.0},{Y(sample.Value):0.0}")));
                text.AppendLine(culture, $"""<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>""");
                text.AppendLine(culture, $"""<text x="{Width - Legend + 12}" y="{Top + 14 + (16 * i)}" fill="{colour}">{process}</text>""");
            }
            return text.AppendLine("</svg>").ToString();
        }
    }
}
