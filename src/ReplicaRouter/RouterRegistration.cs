using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace ReplicaRouter;

/// <summary>The registration of a router, by which other packages find all routers. The name is the service key; null for the unnamed router.</summary>
internal sealed record RouterRegistration(string? Name)
{
    public string OptionsName => Name ?? Options.DefaultName;

    public DatabaseRouter Of(IServiceProvider services) =>
        Name is null ? services.GetRequiredService<DatabaseRouter>() : services.GetRequiredKeyedService<DatabaseRouter>(Name);

    /// <summary>Returns all routers of an application, the unnamed one first.</summary>
    public static IEnumerable<RouterRegistration> AllIn(IServiceProvider services)
    {
        var named = services.GetServices<RouterRegistration>().Where(registration => registration.Name is not null);
        // An application can register the unnamed router itself, as tests do.
        var hasUnnamed = services.GetService<IServiceProviderIsService>()?.IsService(typeof(DatabaseRouter)) ?? true;
        return hasUnnamed ? named.Prepend(new RouterRegistration(Name: null)) : named;
    }

    /// <summary>Returns a registered router with the same variables as another name: variables have no lower-case letters and no hyphens.</summary>
    public static string? OfSameVariables(string name, IServiceCollection services) => services
        .Select(service => service.IsKeyedService ? null : service.ImplementationInstance as RouterRegistration)
        .FirstOrDefault(known => known?.Name is not null && ConfigurationNames.Of(known.Name).VariablePrefix == ConfigurationNames.Of(name).VariablePrefix)?.Name;

    /// <summary>Validates a name, which must fit into variables, cookies, headers and URLs.</summary>
    public static string Checked(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Length is > 0 and <= 63 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            ? name
            : throw new ArgumentException("The router's name is invalid. Write 1 to 63 letters from A to Z, digits, - or _.", nameof(name));
    }
}
