using Microsoft.Net.Http.Headers;

namespace ReplicaRouter.AspNetCore.Tests;

/// <summary>A browser's cookies: the last one received for each name.</summary>
internal sealed class CookieJar
{
    private readonly SortedDictionary<string, string> _cookies = [];

    public int Count => _cookies.Count;

    /// <summary>The Cookie header of the next request.</summary>
    public string Header => string.Join("; ", _cookies.Select(cookie => $"{cookie.Key}={cookie.Value}"));

    /// <summary>Stores or removes the cookies that a response sets.</summary>
    public void Receive(IEnumerable<string?> setCookies)
    {
        foreach (var cookie in SetCookieHeaderValue.ParseList([.. setCookies.OfType<string>()]))
        {
            if (cookie.Value.Length == 0) _cookies.Remove(cookie.Name.ToString());
            else _cookies[cookie.Name.ToString()] = cookie.Value.ToString();
        }
    }
}
