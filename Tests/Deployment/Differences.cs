namespace AspireChat.Tests.Deployment;

/// <summary>Where the deployment files say something else than Aspire's manifest, one plain sentence each.</summary>
internal static class Differences
{
    private const string Compose = "compose.yaml";
    private const string Kubernetes = "kubernetes";

    // What the manifest does not know. All else that it does not know is a difference.
    private static readonly HashSet<(string File, string Container)> OwnContainers =
    [
        (Compose, "edge"), // The front door; in a cluster the ingress is.
    ];

    private static readonly HashSet<(string File, string Container, string Variable)> OwnVariables =
    [
        // In a run Aspire creates the database.
        .. Each("POSTGRES_DB", [Compose, Kubernetes], "postgres"),
        // The root file system is read-only.
        .. Each("DOTNET_EnableDiagnostics", [Compose, Kubernetes], "persistence", "presence", "connection", "gateway"),
        // Which proxy stands in front is the deployment's own.
        .. Each("Gateway__KnownProxies__0", [Compose, Kubernetes], "gateway"),
        // Kubernetes builds connection strings from them.
        .. Each("REDIS_PASSWORD", [Kubernetes], "persistence", "presence", "connection"),
        // The image makes the roles out of them; Kubernetes builds connection strings as well.
        .. Each("POSTGRES_OWNER_PASSWORD", [Compose, Kubernetes], "postgres"),
        .. Each("POSTGRES_WRITER_PASSWORD", [Compose, Kubernetes], "postgres"),
        .. Each("POSTGRES_OWNER_PASSWORD", [Kubernetes], "persistence"),
        .. Each("POSTGRES_WRITER_PASSWORD", [Kubernetes], "persistence"),
    ];

    public static IReadOnlyList<string> Find(DeploymentFiles files)
    {
        var manifest = new AspireManifest(files.Json(DeploymentFiles.Manifest));
        return
        [
            .. OfCompose(manifest, new ComposeFile(files.Yaml(DeploymentFiles.Compose).Single())),
            .. OfSecrets(manifest.Secrets.Select(ComposeFile.SettingFor), files, DeploymentFiles.ComposeSecrets),
            .. OfKubernetes(manifest, new KubernetesFolder(files), files),
            .. OfSecrets(manifest.Secrets, files, DeploymentFiles.KubernetesSecrets),
        ];
    }

    private static IEnumerable<string> OfCompose(AspireManifest manifest, ComposeFile compose)
    {
        foreach (var difference in OfContainers(Compose, manifest, compose.Containers))
        {
            yield return difference;
        }

        foreach (var (name, container) in compose.Containers)
        {
            foreach (var volume in container.Volumes.Keys.Where(volume => !compose.Volumes.Contains(volume)))
            {
                yield return $"{Compose}: the volume {volume} of {name} is not declared";
            }

            if (!manifest.Containers.TryGetValue(name, out var wanted))
            {
                continue;
            }

            foreach (var reference in wanted.References.Except(container.References))
            {
                yield return $"{Compose}: {name} does not depend on {reference}, to which it speaks";
            }
        }
        foreach (var name in compose.Publishing.Where(manifest.Containers.ContainsKey))
        {
            yield return $"{Compose}: {name} takes a port of the host, past the edge";
        }
    }

    private static IEnumerable<string> OfKubernetes(AspireManifest manifest, KubernetesFolder folder, DeploymentFiles files)
    {
        foreach (var difference in OfContainers(Kubernetes, manifest, folder.Containers))
        {
            yield return difference;
        }

        foreach (var file in files.In(DeploymentFiles.Base).Except([DeploymentFiles.Kustomization]).Select(file => Path.GetFileName(file)))
        {
            if (!folder.Resources.Contains(file) && !folder.Patches.Contains(file))
            {
                yield return $"{Kubernetes}: kustomization.yaml does not name {file}";
            }
        }
        foreach (var (name, wanted) in manifest.Containers)
        {
            if (folder.Containers.TryGetValue(name, out var found) && found.Port != wanted.Port)
            {
                yield return $"{Kubernetes}: {name} has the port {found.Port}, not {wanted.Port}";
            }

            if (folder.ServicePort(name) is not { } port)
            {
                yield return $"{Kubernetes}: {name} has no Service of its name";
            }
            else if (port != wanted.Port)
            {
                yield return $"{Kubernetes}: the Service {name} has the port {port}, not {wanted.Port}";
            }

            if (manifest.External.Contains(name))
            {
                continue;
            }

            var speakers = manifest.Containers.Where(other => other.Value.References.Contains(name)).Select(other => other.Key).ToArray();
            if (folder.Admitted(name, wanted.Port) is not { } admitted)
            {
                yield return $"{Kubernetes}: no network policy guards {name}";
                continue;
            }
            foreach (var speaker in speakers.Except(admitted))
            {
                yield return $"{Kubernetes}: {name}'s network policy keeps {speaker} out, which speaks to it";
            }

            foreach (var stranger in admitted.Except(speakers))
            {
                yield return $"{Kubernetes}: {name}'s network policy admits {stranger}, which does not speak to it";
            }
        }
    }

    private static IEnumerable<string> OfContainers(
        string file, AspireManifest manifest, IReadOnlyDictionary<string, DeployedContainer> containers)
    {
        foreach (var (name, wanted) in manifest.Containers)
        {
            if (!containers.TryGetValue(name, out var found))
            {
                yield return $"{file}: {name} is missing";
                continue;
            }
            if (found.Image != wanted.Image)
            {
                yield return $"{file}: {name} has the image {found.Image}, not {wanted.Image}";
            }

            if (!found.Start.SequenceEqual(wanted.Start))
            {
                yield return $"{file}: {name} is started by '{string.Join(' ', found.Start)}', not '{string.Join(' ', wanted.Start)}'";
            }

            foreach (var (variable, value) in wanted.Variables)
            {
                if (!found.Variables.TryGetValue(variable, out var given))
                {
                    yield return $"{file}: {name} lacks the variable {variable}";
                }
                else if (given != value)
                {
                    yield return $"{file}: {name} has {variable}='{given}', not '{value}'";
                }
            }
            foreach (var variable in found.Variables.Keys.Except(wanted.Variables.Keys))
            {
                if (!OwnVariables.Contains((file, name, variable)))
                {
                    yield return $"{file}: {name} has the variable {variable}, which the manifest does not know";
                }
            }
            foreach (var (volume, path) in wanted.Volumes.Except(found.Volumes))
            {
                yield return $"{file}: {name} lacks the volume {volume} at {path}";
            }

            foreach (var (volume, path) in found.Volumes.Except(wanted.Volumes))
            {
                yield return $"{file}: {name} has the volume {volume} at {path}, which the manifest does not know";
            }
        }
        foreach (var name in containers.Keys.Except(manifest.Containers.Keys).Where(own => !OwnContainers.Contains((file, own))))
        {
            yield return $"{file}: the manifest does not know {name}";
        }
    }

    private static IEnumerable<string> OfSecrets(IEnumerable<string> wanted, DeploymentFiles files, string file)
    {
        var settings = files.Settings(file);
        foreach (var secret in wanted)
        {
            if (!settings.TryGetValue(secret, out var value))
            {
                yield return $"{Path.GetFileName(file)}: the secret {secret} is missing";
            }
            else if (value.Length > 0)
            {
                yield return $"{Path.GetFileName(file)}: the secret {secret} has a value";
            }
        }
    }

    private static IEnumerable<(string File, string Container, string Variable)> Each(
        string variable, string[] files, params string[] containers) =>
        files.SelectMany(file => containers.Select(container => (file, container, variable)));
}
