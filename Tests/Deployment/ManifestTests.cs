using System.Diagnostics;
using System.Text.Json.Nodes;

namespace AspireChat.Tests.Deployment;

/// <summary>The deployment files are written by hand, and held to the manifest that Aspire writes.</summary>
public class ManifestTests
{
    private const string Gateway = "kubernetes/base/gateway.yaml";
    private const string Presence = "kubernetes/base/presence.yaml";
    private const string Redis = "kubernetes/base/redis.yaml";
    private const string Policies = "kubernetes/base/network-policies.yaml";

    [Fact]
    public async Task Committed_manifest_is_what_Aspire_writes()
    {
        // As deep below the root as the committed one, since it holds relative paths.
        var file = Path.Combine(DeploymentFiles.Root, "artifacts", $"manifest-{Guid.NewGuid():N}.json");
        try
        {
            await PublishAsync(file);
            var written = JsonNode.Parse(await File.ReadAllTextAsync(file));
            var drift = Drift("", written, new DeploymentFiles().Json(DeploymentFiles.Manifest)).ToArray();
            Assert.True(drift.Length == 0, $"deploy/aspire-manifest.json is old: run deploy/publish.\n{string.Join('\n', drift)}");
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Deployment_files_say_what_the_manifest_says()
    {
        var differences = Differences.Find(new DeploymentFiles());
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    [Theory]
    [InlineData(DeploymentFiles.Compose, "      services__connection__http__0: \"http://connection:8080\"\n", "",
        "compose.yaml: gateway lacks the variable services__connection__http__0")]
    [InlineData(DeploymentFiles.Compose, "Port=5432;Username=aspirechat_writer", "Port=5433;Username=aspirechat_writer",
        "compose.yaml: persistence has ConnectionStrings__chatdb=" +
        "'Host=postgres;Port=5433;Username=aspirechat_writer;Password=<postgres-writer-password>;Database=chatdb', " +
        "not 'Host=postgres;Port=5432;Username=aspirechat_writer;Password=<postgres-writer-password>;Database=chatdb'")]
    [InlineData(DeploymentFiles.Compose, "redis:8.6", "redis:7.2",
        "compose.yaml: redis has the image docker.io/library/redis:7.2, not docker.io/library/redis:8.6")]
    [InlineData(DeploymentFiles.Compose, "--save 60 1 --appendonly yes --appendfsync everysec --maxmemory 1gb --maxmemory-policy noeviction", "",
        "compose.yaml: redis is started by '/bin/sh -c exec redis-server --requirepass $REDIS_PASSWORD ', " +
        "not '/bin/sh -c exec redis-server --requirepass $REDIS_PASSWORD --save 60 1 --appendonly yes --appendfsync everysec --maxmemory 1gb --maxmemory-policy noeviction'")]
    [InlineData(DeploymentFiles.Compose, ":/var/lib/postgresql\"", ":/var/lib/postgresql/data\"",
        "compose.yaml: postgres lacks the volume aspirechat-postgres-data at /var/lib/postgresql",
        "compose.yaml: postgres has the volume aspirechat-postgres-data at /var/lib/postgresql/data, which the manifest does not know")]
    [InlineData(DeploymentFiles.Compose, "volumes:\n  aspirechat-redis-data:\n", "volumes:\n",
        "compose.yaml: the volume aspirechat-redis-data of redis is not declared")]
    [InlineData(DeploymentFiles.Compose, "${POSTGRES_PASSWORD:?is missing in the env file}", "secret",
        "compose.yaml: postgres has POSTGRES_PASSWORD='secret', not '<postgres-password>'")]
    [InlineData(DeploymentFiles.Compose, "depends_on: [redis, postgres]", "depends_on: [redis]",
        "compose.yaml: persistence does not depend on postgres, to which it speaks")]
    [InlineData(DeploymentFiles.Compose, "      POSTGRES_DB:", "      POSTGRES_FLAG: \"1\"\n      POSTGRES_DB:",
        "compose.yaml: postgres has the variable POSTGRES_FLAG, which the manifest does not know")]
    [InlineData(DeploymentFiles.Compose, "depends_on: [connection,", "ports: [\"8081:8080\"]\n    depends_on: [connection,",
        "compose.yaml: gateway takes a port of the host, past the edge")]
    [InlineData(DeploymentFiles.Compose, "  edge:\n", "  door:\n", "compose.yaml: the manifest does not know door")]
    [InlineData(DeploymentFiles.ComposeSecrets, "JWT_KEY=\n", "", "env.example: the secret JWT_KEY is missing")]
    [InlineData(DeploymentFiles.ComposeSecrets, "JWT_KEY=\n", "JWT_KEY=abc\n", "env.example: the secret JWT_KEY has a value")]
    [InlineData(Gateway, "name: services__presence__http__0", "name: services__presence__https__0",
        "kubernetes: gateway lacks the variable services__presence__http__0",
        "kubernetes: gateway has the variable services__presence__https__0, which the manifest does not know")]
    [InlineData(Presence, "key: redis-password", "key: jwt-key",
        "kubernetes: presence has ConnectionStrings__redis='redis:6379,password=<jwt-key>', not 'redis:6379,password=<redis-password>'")]
    [InlineData(Presence, "image: aspirechat/presence", "image: aspirechat/gateway",
        "kubernetes: presence has the image aspirechat/gateway, not aspirechat/presence")]
    [InlineData(Redis, "containerPort: 6379", "containerPort: 6380", "kubernetes: redis has the port 6380, not 6379")]
    [InlineData(Redis, "port: 6379, targetPort", "port: 6380, targetPort", "kubernetes: the Service redis has the port 6380, not 6379")]
    [InlineData(Redis, "kind: Service\n", "kind: Other\n", "kubernetes: redis has no Service of its name")]
    [InlineData(Redis, "- metadata: { name: aspirechat-redis-data", "- metadata: { name: other",
        "kubernetes: redis lacks the volume aspirechat-redis-data at /data")]
    [InlineData(Policies, "{ app.kubernetes.io/component: persistence }", "{ app.kubernetes.io/component: gateway }",
        "kubernetes: redis's network policy keeps persistence out, which speaks to it",
        "kubernetes: redis's network policy admits gateway, which does not speak to it",
        "kubernetes: postgres's network policy keeps persistence out, which speaks to it",
        "kubernetes: postgres's network policy admits gateway, which does not speak to it")]
    [InlineData(DeploymentFiles.Kustomization, "  - autoscaling.yaml\n", "",
        "kubernetes: kustomization.yaml does not name autoscaling.yaml")]
    [InlineData(DeploymentFiles.KubernetesSecrets, "jwt-key=\n", "", "secrets.env: the secret jwt-key is missing")]
    [InlineData(DeploymentFiles.Manifest, "\"services__connection_", "\"Chat__New\": \"1\",\n\"services__connection_",
        "compose.yaml: gateway lacks the variable Chat__New",
        "kubernetes: gateway lacks the variable Chat__New")]
    public void Each_difference_is_named(string file, string text, string by, params string[] expected)
    {
        var files = new DeploymentFiles();
        files.Replace(file, text, by);
        Assert.Equal(expected, Differences.Find(files));
    }

    [Fact]
    public void Compose_and_Kubernetes_make_the_same_roles()
    {
        var root = Path.Combine(DeploymentFiles.Root, "deploy");
        Assert.Equal(
            File.ReadAllText(Path.Combine(root, "compose", "postgres", "roles.sql")),
            File.ReadAllText(Path.Combine(root, DeploymentFiles.Base, "roles.sql")));
    }

    [Theory]
    [InlineData("redis")]
    [InlineData("persistence")]
    [InlineData("presence")]
    [InlineData("connection")]
    [InlineData("gateway")]
    public void No_container_but_the_database_has_the_superusers_password(string name)
    {
        var files = new DeploymentFiles();
        foreach (var container in new[]
        {
            new ComposeFile(files.Yaml(DeploymentFiles.Compose).Single()).Containers[name], new KubernetesFolder(files).Containers[name],
        })
        {
            Assert.DoesNotContain(container.Variables.Values, value => value.Contains("<postgres-password>", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Drift_of_the_manifest_is_named()
    {
        var files = new DeploymentFiles();
        var written = files.Json(DeploymentFiles.Manifest);
        files.Replace(DeploymentFiles.Manifest, "redis:8.6", "redis:7.2");
        Assert.Equal(
            ["resources.redis.image: Aspire writes \"docker.io/library/redis:8.6\", committed is \"docker.io/library/redis:7.2\""],
            Drift("", written, files.Json(DeploymentFiles.Manifest)));
    }

    private static async Task PublishAsync(string file)
    {
        // The AppHost's own build output, beside the tests' and of the same configuration.
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Name;
        var host = Path.Combine(DeploymentFiles.Root, "artifacts", "bin", "AppHost", configuration, "AspireChat.AppHost.dll");
        var start = new ProcessStartInfo("dotnet", ["exec", host, "--publisher", "manifest", "--output-path", file])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // As deploy/publish has it.
        start.Environment["ASPIRECHAT_PORT"] = "0";
        start.Environment.Remove("Redis__AppendFsync");
        start.Environment.Remove("Redis__MaxMemory");
        using var publishing = Process.Start(start)!;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var errors = publishing.StandardError.ReadToEndAsync(patience.Token);
        var output = await publishing.StandardOutput.ReadToEndAsync(patience.Token);
        await publishing.WaitForExitAsync(patience.Token);
        Assert.True(publishing.ExitCode == 0 && File.Exists(file), output + await errors);
    }

    private static IEnumerable<string> Drift(string path, JsonNode? written, JsonNode? committed)
    {
        if (written is not JsonObject now || committed is not JsonObject then)
        {
            if (!JsonNode.DeepEquals(written, committed))
            {
                yield return $"{path}: Aspire writes {Shown(written)}, committed is {Shown(committed)}";
            }

            yield break;
        }
        foreach (var key in now.Select(entry => entry.Key).Union(then.Select(entry => entry.Key)))
        {
            foreach (var drift in Drift(path.Length == 0 ? key : $"{path}.{key}", now[key], then[key]))
            {
                yield return drift;
            }
        }
    }

    private static string Shown(JsonNode? node) => node?.ToJsonString() ?? "nothing";
}
