using System.CommandLine;

namespace ReplicaRouter.Benchmarks;

/// <summary>Options that several commands share.</summary>
internal static class CommandOption
{
    /// <summary>Creates a repeatable option that takes one of these names.</summary>
    public static Option<string[]> Names(string name, string description, IEnumerable<string> names)
    {
        var option = new Option<string[]>(name) { Description = description };
        option.AcceptOnlyFromAmong([.. names]);
        return option;
    }

    /// <summary>Creates an option that takes a whole number with a minimum.</summary>
    public static Option<int> Number(string name, string description, int usual, int least = 1)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => usual };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.GetValueOrDefault<int>() < least) result.AddError($"{name} takes a whole number of at least {least}.");
        });
        return option;
    }
}
