using System.Collections;
using System.Reflection;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace ReplicaRouter.Docs.Tests;

/// <summary>The documented configuration matches the options and their behaviour.</summary>
public class ConfigurationPageTests
{
    [Fact]
    public void The_reference_matches_the_options() => GeneratedFile.IsUpToDate(ConfigurationPage.Path, ConfigurationPage.Renewed(File.ReadAllText(ConfigurationPage.Path)));

    [Fact]
    public void Option_headings_are_unique()
    {
        var headings = OptionsSection.All.SelectMany(section => section.Options.Select(section.HeadingOf)).ToList();
        Assert.Equal(headings.Distinct(StringComparer.OrdinalIgnoreCase), headings);
        Assert.True(headings.Count > 30);
    }

    public static TheoryData<string> BoundedOptions =>
        [.. OptionsSection.All.SelectMany(section => section.Options.Where(option => DocumentedRange.Of(option) is not null).Select(option => $"{section.Type.Name}.{option.Name}"))];

    [Theory]
    [MemberData(nameof(BoundedOptions))]
    public void Documented_ranges_are_the_validated_ranges(string name)
    {
        var (section, option) = OptionsSection.All.SelectMany(section => section.Options.Select(option => (section, option))).Single(o => $"{o.section.Type.Name}.{o.option.Name}" == name);
        var (least, most) = DocumentedRange.Of(option)!.Value;
        if (option.GetCustomAttribute<System.ComponentModel.DataAnnotations.RangeAttribute>() is { } range)
        {
            Assert.Equal((least, most), (range.Minimum, range.Maximum));
            return;
        }

        var error = Assert.Throws<DatabaseRouterConfigurationException>(() => DatabaseRouter.Create(With(section, option, option.PropertyType.ToString().Contains("Int32", StringComparison.Ordinal) ? -1 : TimeSpan.FromDays(-1))));
        Assert.Contains(error.Faults, fault => fault.Contains(option.Name, StringComparison.Ordinal) && fault.Contains($"from {least} to {most}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Every_configuration_in_the_documentation_works()
    {
        var blocks = Page.All.SelectMany(page => page.Blocks).Where(block => block.Language == "json" && block.Code.Contains($"\"{DatabaseRouterOptions.SectionName}\"", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(blocks);
        foreach (var block in blocks)
        {
            using var json = new MemoryStream(Encoding.UTF8.GetBytes(block.Code));
            var services = new ServiceCollection().AddReplicaRouter(new ConfigurationBuilder().AddJsonStream(json).Build(), options =>
                options.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = "Host=127.0.0.1;Port=1" });
            await using var provider = services.BuildServiceProvider();
            Assert.NotNull(provider.GetRequiredService<DatabaseRouter>());
        }
    }

    private static DatabaseRouterOptions With(OptionsSection section, PropertyInfo option, object value)
    {
        var options = new DatabaseRouterOptions();
        options.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = "Host=127.0.0.1;Port=1" };
        options.Routes["read"] = new DatabaseRouteOptions();
        option.SetValue(Below(options).Single(part => part.GetType() == section.Type), value);
        return options;
    }

    /// <summary>Returns the options and all nested options.</summary>
    private static IEnumerable<object> Below(object options) =>
        options.GetType().GetProperties().Select(property => property.GetValue(options)).SelectMany(Parts).SelectMany(Below).Prepend(options);

    private static IEnumerable<object> Parts(object? value) => value switch
    {
        IDictionary byName => byName.Values.Cast<object>(),
        { } part when part.GetType() is { IsClass: true } type && type.Assembly == typeof(DatabaseRouterOptions).Assembly => [part],
        _ => [],
    };
}
