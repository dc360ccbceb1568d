namespace AspireChat.ConnectionService.Presence;

/// <summary>The name under which a replica holds its lease.</summary>
internal static class ReplicaName
{
    private const string Attribute = "service.instance.id=";

    /// <summary>
    /// What the host calls this instance, for people, and a random part, for uniqueness: two processes under one name would void each
    /// other's users for ever, while a replica that restarts under another name only keeps its old lease until it runs out.
    /// </summary>
    public static string Create()
    {
        var name = (Environment.GetEnvironmentVariable("OTEL_RESOURCE_ATTRIBUTES") ?? "").Split(',')
            .Select(pair => pair.Trim())
            .FirstOrDefault(pair => pair.StartsWith(Attribute, StringComparison.Ordinal))?[Attribute.Length..]
            ?? Environment.MachineName;
        name = string.Concat(name.Where(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')).TrimStart('-');
        return $"{(name.Length > 40 ? name[..40] : name)}-{Random.Shared.Next():x8}".TrimStart('-');
    }
}
