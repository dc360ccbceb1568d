using System.Globalization;

namespace AspireChat.PersistenceService.Migrations;

/// <summary>
/// One step of the schema: an embedded file <c>NNNN_name.sql</c>. Released files never change. A step must leave the schema usable by the
/// version before it (expand; contract a release later), because replicas of both run side by side while a release rolls out.
/// </summary>
internal sealed record Migration(int Version, string Name, string Sql)
{
    /// <summary>All steps, in order.</summary>
    public static IReadOnlyList<Migration> All { get; } = Load();

    private static List<Migration> Load()
    {
        var assembly = typeof(Migration).Assembly;
        var steps = new List<Migration>();
        foreach (var file in assembly.GetManifestResourceNames().Where(name => name.EndsWith(".sql", StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(file)!);
            var version = int.Parse(file.AsSpan(0, file.IndexOf('_')), NumberStyles.None, CultureInfo.InvariantCulture);
            steps.Add(new Migration(version, Path.GetFileNameWithoutExtension(file), reader.ReadToEnd()));
        }
        steps.Sort((a, b) => a.Version.CompareTo(b.Version));
        return steps;
    }
}
