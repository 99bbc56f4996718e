using ReplicaRouter.RepositoryTests;

namespace ReplicaRouter.Docs.Tests;

/// <summary>A file that is generated from the options' types.</summary>
internal static class GeneratedFile
{
    /// <summary>Set by eng/configuration-page.</summary>
    private const string WriteVariable = "REPLICAROUTER_WRITE_DOCS";

    /// <summary>Checks that the file has this text, or writes it.</summary>
    public static void IsUpToDate(string path, string text)
    {
        if (Environment.GetEnvironmentVariable(WriteVariable) == "1") File.WriteAllText(path, text);
        else Assert.True(File.ReadAllText(path) == text, $"{Repository.NameOf(path)} is out of date: run eng/configuration-page.");
    }
}
