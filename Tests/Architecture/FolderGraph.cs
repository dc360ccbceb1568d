using ArchUnitNET.Domain;
using ArchUnitNET.Loader;
using Assembly = System.Reflection.Assembly;

namespace AspireChat.Tests.Architecture;

/// <summary>
/// Which folder of a project uses which, read from the compiled program. A folder is a namespace behind the project's own: its first part, or all
/// of it where folders within folders count. Uses of constants are not seen, because the compiler puts in their values.
/// </summary>
internal sealed class FolderGraph
{
    private readonly Dictionary<(string From, string To), SortedSet<string>> _uses = [];

    /// <summary>Which type uses which. A nested type counts as its outer type.</summary>
    public IReadOnlyDictionary<(string From, string To), SortedSet<string>> Uses => _uses;

    /// <param name="nested">Folders within folders are nodes of their own.</param>
    public static FolderGraph Of(Assembly assembly, bool nested = false)
    {
        var root = assembly.GetName().Name!;
        var graph = new FolderGraph();
        var architecture = new ArchLoader().LoadAssemblies(assembly).Build();
        foreach (var type in architecture.Types)
        {
            foreach (var target in type.Dependencies.Select(dependency => dependency.Target))
            {
                graph.Add(FolderOf(type, root, nested), FolderOf(target, root, nested), $"{NameOf(type)} → {NameOf(target)}");
            }
        }
        return graph;
    }

    public void Add(string? from, string? to, string types)
    {
        if (from is null || to is null || from == to)
        {
            return;
        }
        if (!_uses.TryGetValue((from, to), out var examples))
        {
            _uses.Add((from, to), examples = new SortedSet<string>(StringComparer.Ordinal));
        }
        examples.Add(types);
    }

    /// <summary>The folders that use each other in a circle, with a line for each use; empty when there are none.</summary>
    public IReadOnlyList<string> Cycles() =>
        [.. _uses.Where(use => Reaches(use.Key.To, use.Key.From)).Select(Line).Order(StringComparer.Ordinal)];

    /// <summary>The forbidden uses, one on a line.</summary>
    public IReadOnlyList<string> Violations(Func<string, string, bool> isForbidden) =>
        [.. _uses.Where(use => isForbidden(use.Key.From, use.Key.To)).Select(Line).Order(StringComparer.Ordinal)];

    private static string Line(KeyValuePair<(string From, string To), SortedSet<string>> use) =>
        $"{use.Key.From} uses {use.Key.To}: {string.Join(", ", use.Value.Take(6))}{(use.Value.Count > 6 ? ", …" : "")}";

    private bool Reaches(string from, string to)
    {
        var (seen, next) = (new HashSet<string>(StringComparer.Ordinal) { from }, new Queue<string>([from]));
        while (next.TryDequeue(out var folder))
        {
            if (folder == to)
            {
                return true;
            }
            foreach (var use in _uses.Keys.Where(use => use.From == folder && seen.Add(use.To)))
            {
                next.Enqueue(use.To);
            }
        }
        return false;
    }

    private static string NameOf(IType type) => type.FullName.Split('+', '/', '<')[0].Split('.')[^1];

    // Null for a type of another project, and for one in the project's root, which puts the folders together.
    private static string? FolderOf(IType type, string root, bool nested)
    {
        if (type.Namespace?.FullName is not { } name || !name.StartsWith(root + '.', StringComparison.Ordinal))
        {
            return null;
        }
        var folder = name[(root.Length + 1)..];
        return nested ? folder : folder.Split('.')[0];
    }
}
