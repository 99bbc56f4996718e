using Microsoft.Net.Http.Headers;

namespace ReplicaRouter.AspNetCore.Tests;

/// <summary>A browser's cookies: of each name the last one that arrived.</summary>
internal sealed class CookieJar
{
    private readonly SortedDictionary<string, string> _cookies = [];

    public int Count => _cookies.Count;

    /// <summary>The header that a request sends now.</summary>
    public string Header => string.Join("; ", _cookies.Select(cookie => $"{cookie.Key}={cookie.Value}"));

    /// <summary>A response arrives.</summary>
    public void Receive(IEnumerable<string?> setCookies)
    {
        foreach (var cookie in SetCookieHeaderValue.ParseList([.. setCookies.OfType<string>()]))
        {
            if (cookie.Value.Length == 0) _cookies.Remove(cookie.Name.ToString());
            else _cookies[cookie.Name.ToString()] = cookie.Value.ToString();
        }
    }
}
