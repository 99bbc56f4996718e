using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http;

namespace ReplicaRouter;

/// <summary>How a router's sessions follow the requests of a web application, and when the application counts as ready.</summary>
/// <remarks>Those of a further router have its name: <c>services.Configure&lt;DatabaseRouterWebOptions&gt;("billing", ...)</c>.</remarks>
public sealed class DatabaseRouterWebOptions
{
    /// <summary>
    /// How the names of the cookies begin that carry a browser's session from request to request, followed by a dot and random characters: responses that arrive in
    /// any order don't overwrite one another's. They are HttpOnly and SameSite=Lax. A browser keeps one, and for a moment as many as it sent requests at once.
    /// </summary>
    /// <value>Default <c>replica-router</c>, and for a further router also its name, as <c>replica-router-billing</c>; <see langword="null"/> for no cookie.</value>
    public string? CookieName { get; set; } = "replica-router";

    /// <summary>Whether the cookies are Secure, so that browsers send them by https only.</summary>
    /// <value>
    /// Default <see cref="CookieSecurePolicy.SameAsRequest"/>: where the request came by https. Set <see cref="CookieSecurePolicy.Always"/> behind a proxy that ends TLS
    /// and does not forward the scheme.
    /// </value>
    public CookieSecurePolicy CookieSecurePolicy { get; set; } = CookieSecurePolicy.SameAsRequest;

    /// <summary>The header that carries a session between services, and to pages that call by script.</summary>
    /// <value>Default <see cref="SessionMetadata.Key"/>, and for a further router also its name, as <c>replica-router-token-billing</c>; <see langword="null"/> for no header.</value>
    public string? HeaderName { get; set; } = SessionMetadata.Key;

    /// <summary>How long a token that was sent is good for. Replicas have long caught up by then, or serve no more reads.</summary>
    /// <value>Default 10 min; 1 s to 1 day.</value>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00", ParseLimitsInInvariantCulture = true)]
    public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Whether endpoints that say nothing read in GET, HEAD, OPTIONS and TRACE requests, where their connection is injected by <see cref="EndpointRoute.Key"/>.</summary>
    /// <value>Default <see langword="false"/>: such endpoints write.</value>
    public bool SafeMethodsRead { get; set; }

    /// <summary>The operations without which the application can do nothing: <c>/health/ready</c> answers 503 while no host can serve one of them.</summary>
    /// <value>Default read and write.</value>
    public IReadOnlyCollection<DatabaseOperation> RequiredOperations { get; set; } = [DatabaseOperation.Read, DatabaseOperation.Write];
}

/// <summary>Generated: checks the ranges at the application's start.</summary>
[Microsoft.Extensions.Options.OptionsValidator]
internal sealed partial class DatabaseRouterWebOptionsValidator : Microsoft.Extensions.Options.IValidateOptions<DatabaseRouterWebOptions>;
