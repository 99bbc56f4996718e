using System.Collections.Frozen;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace ReplicaRouter.Dashboard;

/// <summary>The page's files, embedded in the assembly.</summary>
internal static class DashboardAssets
{
    private const string Prefix = "Dashboard/";

    private static readonly FrozenDictionary<string, Asset> s_assets = typeof(DashboardAssets).Assembly.GetManifestResourceNames()
        .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal) && TypeOf(name) is not null)
        .Select(name => name[Prefix.Length..])
        .ToFrozenDictionary(name => name, name => Asset.Of(name, Read(name)), StringComparer.Ordinal);

    public static byte[] Read(string name)
    {
        using var stream = typeof(DashboardAssets).Assembly.GetManifestResourceStream(Prefix + name)!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }

    /// <summary>Returns a file, or 304 if the browser has it.</summary>
    public static IResult Serve(string file, HttpContext context)
    {
        if (!s_assets.TryGetValue(file, out var asset)) return Results.NotFound();
        // Browsers revalidate at each visit, so that a new version of the package never runs with an old version's files.
        context.Response.Headers.CacheControl = "private, no-cache";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        return Results.Bytes(asset.Content, asset.ContentType, entityTag: asset.Tag);
    }

    private static string? TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".js" => "text/javascript; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        _ => null,
    };

    private sealed record Asset(byte[] Content, string ContentType, EntityTagHeaderValue Tag)
    {
        public static Asset Of(string name, byte[] content) =>
            new(content, TypeOf(name)!, new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 12))}\""));
    }
}
