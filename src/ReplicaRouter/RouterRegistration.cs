using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace ReplicaRouter;

/// <summary>A router that an application has registered, by which other packages find all of them. Its name is its key, and null for the router without.</summary>
internal sealed record RouterRegistration(string? Name)
{
    public string OptionsName => Name ?? Options.DefaultName;

    public DatabaseRouter Of(IServiceProvider services) =>
        Name is null ? services.GetRequiredService<DatabaseRouter>() : services.GetRequiredKeyedService<DatabaseRouter>(Name);

    /// <summary>All routers of an application, the one without a name first.</summary>
    public static IEnumerable<RouterRegistration> AllIn(IServiceProvider services)
    {
        var named = services.GetServices<RouterRegistration>().Where(registration => registration.Name is not null);
        // An application may have registered that one by itself, as tests do.
        var hasUnnamed = services.GetService<IServiceProviderIsService>()?.IsService(typeof(DatabaseRouter)) ?? true;
        return hasUnnamed ? named.Prepend(new RouterRegistration(Name: null)) : named;
    }

    /// <summary>A registered router whose variables are those of another name: they have no small letters and no hyphens.</summary>
    public static string? OfSameVariables(string name, IServiceCollection services) => services
        .Select(service => service.IsKeyedService ? null : service.ImplementationInstance as RouterRegistration)
        .FirstOrDefault(known => known?.Name is not null && ConfigurationNames.Of(known.Name).VariablePrefix == ConfigurationNames.Of(name).VariablePrefix)?.Name;

    /// <summary>A name fits into variables, cookies, headers and URLs.</summary>
    /// <exception cref="ArgumentException">The name is not usable.</exception>
    public static string Checked(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Length is > 0 and <= 63 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            ? name
            : throw new ArgumentException("The router's name is not usable. Write 1 to 63 letters from A to Z, digits, - or _.", nameof(name));
    }
}
