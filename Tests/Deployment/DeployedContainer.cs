namespace AspireChat.Tests.Deployment;

/// <summary>
/// One container as the manifest, Compose or Kubernetes describe it, in the same words. A secret stands in a text as
/// <c>&lt;its-name&gt;</c>, the name being that of the manifest's parameter.
/// </summary>
/// <param name="Image">Without registry and tag where the operator chooses them.</param>
/// <param name="Start">Entry point and arguments; empty where the image's own are used.</param>
/// <param name="Variables">The environment.</param>
/// <param name="Volumes">Where each named volume is mounted.</param>
/// <param name="Port">What it listens on.</param>
internal sealed record DeployedContainer(
    string Image,
    IReadOnlyList<string> Start,
    IReadOnlyDictionary<string, string> Variables,
    IReadOnlyDictionary<string, string> Volumes,
    int Port)
{
    /// <summary>The containers that it speaks to.</summary>
    public IReadOnlySet<string> References { get; init; } = new HashSet<string>();
}
