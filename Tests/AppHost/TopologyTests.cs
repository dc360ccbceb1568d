namespace AspireChat.Tests.AppHost;

public sealed class TopologyTests
{
    [Fact]
    public void Topology_fits_one_screen() =>
        Assert.InRange(File.ReadLines(Path.Combine(Projects.AppHost.ProjectPath, "AppHost.cs")).Count(), 1, 60);
}
