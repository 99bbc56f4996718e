using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http;

namespace ReplicaRouter;

/// <summary>How a router's sessions follow users from request to request of a web application, and when the application is ready.</summary>
/// <remarks>A named router has options of that name: <c>services.Configure&lt;DatabaseRouterWebOptions&gt;("billing", ...)</c>.</remarks>
public sealed class DatabaseRouterWebOptions
{
    /// <summary>
    /// Prefix of the names of the cookies that carry a browser's session from request to request. A dot and random characters follow, so that responses that
    /// arrive in any order do not overwrite each other's cookies. The cookies are HttpOnly and SameSite=Lax. A browser holds one, and briefly one for each concurrent request.
    /// </summary>
    /// <value>Default <c>replica-router</c>, for a named router followed by its name, as in <c>replica-router-billing</c>; <see langword="null"/> for no cookie.</value>
    public string? CookieName { get; set; } = "replica-router";

    /// <summary>Whether the cookies are Secure, so that browsers send them over HTTPS only.</summary>
    /// <value>
    /// Default <see cref="CookieSecurePolicy.SameAsRequest"/>: Secure if the request came over HTTPS. Set <see cref="CookieSecurePolicy.Always"/> behind a proxy that
    /// terminates TLS and does not forward the scheme.
    /// </value>
    public CookieSecurePolicy CookieSecurePolicy { get; set; } = CookieSecurePolicy.SameAsRequest;

    /// <summary>The header that carries a session between services, and to pages that send requests from script.</summary>
    /// <value>
    /// Default <see cref="SessionMetadata.Key"/>, for a named router followed by its name, as in <c>replica-router-token-billing</c>; <see langword="null"/> for no
    /// header.
    /// </value>
    public string? HeaderName { get; set; } = SessionMetadata.Key;

    /// <summary>How long a token is valid after it was sent. By then, replicas have long caught up or no longer serve reads.</summary>
    /// <value>Default 10 min; 1 s to 1 day.</value>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00", ParseLimitsInInvariantCulture = true)]
    public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Whether endpoints without a <c>RouteTo</c> read in GET, HEAD, OPTIONS and TRACE requests. Applies to connections injected by <see cref="EndpointRoute.Key"/>.
    /// </summary>
    /// <value>Default <see langword="false"/>: such endpoints write.</value>
    public bool SafeMethodsRead { get; set; }

    /// <summary>The operations that the application cannot do without: <c>/health/ready</c> answers 503 while no host can serve one of them.</summary>
    /// <value>Default read and write.</value>
    public IReadOnlyCollection<DatabaseOperation> RequiredOperations { get; set; } = [DatabaseOperation.Read, DatabaseOperation.Write];
}

/// <summary>Source-generated: checks the ranges when the application starts.</summary>
[Microsoft.Extensions.Options.OptionsValidator]
internal sealed partial class DatabaseRouterWebOptionsValidator : Microsoft.Extensions.Options.IValidateOptions<DatabaseRouterWebOptions>;
