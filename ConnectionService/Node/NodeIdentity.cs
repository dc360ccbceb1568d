using System.ComponentModel.DataAnnotations;
using AspireChat.ConnectionService.Presence;
using AspireChat.Contracts;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace AspireChat.ConnectionService.Node;

/// <summary>Section <c>Node</c>.</summary>
public sealed class NodeOptions : IValidatableObject
{
    public const string Section = "Node";

    /// <summary>
    /// This replica's name: <c>welcome.node</c>, its control channel and its name towards PresenceService. Two running replicas must never
    /// share it. Unset: the host's name for the instance and a random part.
    /// </summary>
    public string? Name { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Name is not null && !RoomIds.IsValid(Name))
        {
            yield return new("must be 1–64 characters of A-Z a-z 0-9 _ . -", [nameof(Name)]);
        }
    }
}

/// <summary>Who this process is. Immutable.</summary>
internal sealed class NodeIdentity(IOptions<NodeOptions> options)
{
    public string Name { get; } = options.Value.Name ?? ReplicaName.Create();
}

internal static class NodeRegistration
{
    public static IServiceCollection AddNode(this IServiceCollection services)
    {
        services.AddValidatedOptions<NodeOptions>(NodeOptions.Section);
        services.AddSingleton<NodeIdentity>();
        services.AddOptions<PresenceReportingOptions>().PostConfigure<NodeIdentity>((presence, node) => presence.Replica ??= node.Name);
        return services;
    }
}
