using System.Diagnostics;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace AspireChat.LocalHost.Running;

/// <summary>A project whose build told where its output is; the classes that the build generates for the AppHost say so.</summary>
public interface IBuiltProject : IProjectMetadata
{
    string TargetPath { get; }
}

/// <summary>The processes of a <see cref="ProjectResource"/>: its built assembly, started without MSBuild.</summary>
internal sealed class ProjectLauncher(ProjectResource resource) : ILauncher
{
    private IProjectMetadata Project => resource.Annotations.OfType<IProjectMetadata>().First();

    private string Target => field ??= Project is IBuiltProject built ? built.TargetPath : AskBuild(Project.ProjectPath);

    public void Check()
    {
        if (!File.Exists(Target))
            throw new DistributedApplicationException($"'{resource.Name}' is not built ({Target} is missing): run dotnet build.");
    }

    public Task<ProcessLaunch> PrepareAsync(int replica, IReadOnlyList<string> arguments, CancellationToken cancellationToken) =>
        Task.FromResult(new ProcessLaunch(DotNet(), ["exec", Target, .. arguments], Path.GetDirectoryName(Project.ProjectPath)!));

    private static string DotNet() =>
        Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host && File.Exists(host)
            ? host
            : Environment.ProcessPath is { } own && Path.GetFileNameWithoutExtension(own) == "dotnet"
                ? own
                : Programs.Find("dotnet") ?? "dotnet";

    private static string AskBuild(string projectPath)
    {
        var start = new ProcessStartInfo(DotNet(), ["msbuild", projectPath, "-getProperty:TargetPath"]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        return process.StandardOutput.ReadToEnd().Trim();
    }
}

internal sealed class ExecutableLauncher(ExecutableResource resource) : ILauncher
{
    private string? _program;

    public void Check() =>
        _program = Programs.Find(resource.Command) ??
            throw new DistributedApplicationException($"The program '{resource.Command}' of '{resource.Name}' was not found.");

    public Task<ProcessLaunch> PrepareAsync(int replica, IReadOnlyList<string> arguments, CancellationToken cancellationToken) =>
        Task.FromResult(new ProcessLaunch(_program!, arguments, resource.WorkingDirectory));
}
