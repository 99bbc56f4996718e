using System.Net;
using System.Net.Sockets;
using static ReplicaRouter.Testing.Tests.Probe;

namespace ReplicaRouter.Testing.Tests;

/// <summary>A cluster that can't start fails with one clear message, and leaves nothing behind.</summary>
public class LocalClusterErrorTests
{
    [Fact]
    public async Task Missing_binaries_give_an_error_with_the_searched_folder_and_how_to_install()
    {
        var error = await Assert.ThrowsAsync<LocalClusterException>(() => LocalCluster.StartAsync(new LocalClusterOptions { BinDirectory = "/nowhere" }, Ct));
        Assert.Contains("/nowhere", error.Message, StringComparison.Ordinal);
        Assert.Contains("apt-get install postgresql", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_version_is_named() =>
        Assert.Contains("PostgreSQL 16", (await Assert.ThrowsAsync<LocalClusterException>(() =>
            LocalCluster.StartAsync(new LocalClusterOptions { Version = 16 }, Ct))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task A_taken_port_is_named()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var error = await Assert.ThrowsAsync<LocalClusterException>(() => LocalCluster.StartAsync(new LocalClusterOptions { PrimaryPort = port, Replicas = [] }, Ct));
        Assert.Contains(port.ToString(System.Globalization.CultureInfo.InvariantCulture), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_setting_that_the_server_refuses_is_shown_from_its_log()
    {
        var options = new LocalClusterOptions { Replicas = [] };
        options.Settings["shared_buffers"] = "plenty";
        var error = await Assert.ThrowsAsync<LocalClusterException>(() => LocalCluster.StartAsync(options, Ct));
        Assert.Contains("shared_buffers", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(options.Password, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("analytics", "analytics")]
    [InlineData("primary", "x")]
    [InlineData("../x", "y")]
    public async Task Invalid_and_duplicate_names_are_refused(string first, string second) =>
        await Assert.ThrowsAnyAsync<ArgumentException>(() => LocalCluster.StartAsync(
            new LocalClusterOptions { Replicas = [new LocalReplicaOptions { Name = first }, new LocalReplicaOptions { Name = second }] }, Ct));
}
