using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using Microsoft.Extensions.Configuration;
using ReplicaRouter.Tests.Diagnostics;

namespace ReplicaRouter.Tests.Secrets;

/// <summary>
/// A grammar generates connection strings, <c>.env</c> files and configuration values, each with a marked secret. No output of the router may contain it.
/// <c>eng/fuzz-secrets</c> runs ten million inputs.
/// </summary>
[Collection("Activity listeners")]
public class SecretFuzzTests
{
    private const int UsualInputs = 100_000;
    private const int InputsPerGraph = 20;
    private const int GraphsPerRouter = 200;
    private const int InputsPerReport = 500_000;

    private static readonly AsyncLocal<bool> s_isTraced = new();
    private static readonly int s_inputs = Setting("REPLICAROUTER_FUZZ_INPUTS", UsualInputs);
    private static readonly int s_seed = Setting("REPLICAROUTER_FUZZ_SEED", 1);

    [Fact]
    [Trait("Failure", "C1")]
    public async Task No_message_log_metric_trace_or_ToString_contains_a_configured_secret()
    {
        var (refused, accepted, graphs, nearby, routers) = (0, 0, 0, 0, 0);
        string Figures(int inputs) => $"{inputs} inputs of seed {s_seed}: {refused} refused, {accepted} accepted, {graphs} object graphs, {routers} routers.";
        for (var i = 0; i < s_inputs; i++)
        {
            if ((i + 1) % InputsPerReport == 0) TestContext.Current.SendDiagnosticMessage(Figures(i + 1));
            var input = new SecretGrammar(new Random(unchecked((s_seed * 1_000_003) + i))).Next();
            var which = () => $"Input {i} of seed {s_seed}: {input}";
            RouterConfiguration configuration;
            try
            {
                var identities = Read(input);
                var isShown = identities.Any(SecretMark.IsIn);
                Assert.False(isShown && input.IsPassword, isShown ? $"Part of the password was parsed as a host or a name. {which()}" : "");
                if (isShown || accepted++ % InputsPerGraph != 0) continue;
                configuration = RouterConfigurationBuilder.Build(OptionsOf(input));
            }
            catch (Exception e) when (e is ConnectionStringException or DatabaseRouterConfigurationException)
            {
                // ToString, with the stack trace, takes a hundred times as long, so only a sample is checked.
                var shows = ShowsMark(e) || (refused++ % InputsPerGraph == 0 && SecretMark.IsIn(e.ToString()));
                Assert.False(shows, shows ? $"{which()}\n{e}" : "");
                continue;
            }

            graphs++;
            Assert.True(SecretSearch.TypesThatShowIt(configuration).FirstOrDefault() is not { } type, which());
            if (!configuration.Hosts.All(host => host.Endpoint.StartsWith("127.0.0.1", StringComparison.Ordinal)) || nearby++ % GraphsPerRouter != 0) continue;
            routers++;
            var shown = await ShownByRouterAsync(configuration, input.IsPassword);
            Assert.True(shown.Count == 0, $"{which()}\n{string.Join('\n', shown)}");
        }

        Assert.True(refused > s_inputs / 4 && accepted > s_inputs / 20 && graphs > 0 && routers > 0, Figures(s_inputs));
    }

    /// <returns>The names in the input, which output can show.</returns>
    private static IEnumerable<string?> Read(SecretInput input) => input.Kind == SecretInputKind.ConnectionString
        ? ConnectionStringParser.Parse(input.Text).SelectMany(host => (string?[])[host.Host, host.Database, host.Username, host.ApplicationName])
        : Identities(RouterConfigurationBuilder.Build(OptionsOf(input)));

    private static DatabaseRouterOptions OptionsOf(SecretInput input)
    {
        var options = new DatabaseRouterOptions();
        if (input.Kind == SecretInputKind.ConnectionString)
        {
            options.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = input.Text };
            return options;
        }

        var values = input.Kind == SecretInputKind.DotEnv
            ? DotEnvFile.Parse(input.Text, ".env").Select(pair => KeyValuePair.Create(pair.Key.Replace("__", ":", StringComparison.Ordinal), (string?)pair.Value))
            : [KeyValuePair.Create(input.Key!, (string?)input.Text), KeyValuePair.Create("DATABASE_URL", (string?)"postgresql://app@127.0.0.1:1/shop")];
        OptionsLoader.Load(options, new ConfigurationBuilder().AddInMemoryCollection(values.DistinctBy(pair => pair.Key, StringComparer.OrdinalIgnoreCase)).Build());
        return options;
    }

    /// <summary>Returns all names in a configuration. Output shows them by design.</summary>
    private static IEnumerable<string?> Identities(RouterConfiguration configuration) =>
        configuration.Hosts.SelectMany(host => host.Groups.Concat(host.Labels).Concat([host.Name, host.Connection.Host, host.Connection.Database, host.Connection.Username, host.Connection.ApplicationName]))
            .Concat(configuration.Routes.SelectMany(route => route.Tiers.Select(tier => tier.Group).Concat([route.Name, route.Pool.ApplicationName])));

    private static bool ShowsMark(Exception error) =>
        SecretMark.IsIn(error.Message) || (error.InnerException is { } inner && ShowsMark(inner))
        || (error.Data.Count > 0 && error.Data.Values.Cast<object>().Concat(error.Data.Keys.Cast<object>()).Any(value => SecretMark.IsIn(value.ToString())));

    /// <summary>Runs a router without a server, and returns its output that contains the mark: log, errors, health, objects, and metrics and traces including Npgsql's.</summary>
    private static async Task<List<string>> ShownByRouterAsync(RouterConfiguration configuration, bool isPassword)
    {
        List<string> said = [];
        var logger = new RecordingLogger();
        using var own = new OneMeter();
        using var meters = new MeterListener { InstrumentPublished = (instrument, self) => { if (instrument.Meter == own.Meter || instrument.Meter.Name == "Npgsql") self.EnableMeasurementEvents(instrument); } };
        void Add<T>(Instrument instrument, T measured, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
        {
            lock (said) said.Add($"{instrument.Name} {string.Join(' ', tags.ToArray())}");
        }

        meters.SetMeasurementEventCallback<long>(Add);
        meters.SetMeasurementEventCallback<int>(Add);
        meters.SetMeasurementEventCallback<double>(Add);
        meters.Start();
        using var traces = Traces(text =>
        {
            lock (said) said.Add(text);
        });
        await using (var router = new ClusterRouter(configuration, logger, meterFactory: own))
        {
            foreach (var attempt in (Func<Task>[])[() => router.WaitUntilReadyAsync(TimeSpan.FromMilliseconds(100)), () => router.ExecuteAsync(DatabaseOperation.Read, (_, _) => Task.FromResult(0))])
            {
                try
                {
                    await attempt();
                }
                catch (Exception e) when (e is Npgsql.NpgsqlException or DatabaseRouterConfigurationException or TimeoutException)
                {
                    said.Add(e.ToString());
                }
            }

            meters.RecordObservableInstruments();
            lock (said)
            {
                said.AddRange(router.GetHealthStatus().Select(pair => pair.ToString()));
                said.Add(router.GetMetrics().ToString());
                said.AddRange(logger.All);
                Assert.Contains(said, text => text.StartsWith("replica_router.", StringComparison.Ordinal));
                Assert.Contains(said, text => text.StartsWith($"{DatabaseRouterTelemetry.ActivitySourceName} execute read", StringComparison.Ordinal));
            }

            if (isPassword) said.AddRange(SecretSearch.TypesThatShowIt(router).Select(type => $"{type} QZ7XJ4VK"));
        }

        return [.. said.Where(SecretMark.IsIn)];
    }

    /// <summary>Records the activities of this test's flow only, with all data.</summary>
    private static ActivityListener Traces(Action<string> say)
    {
        s_isTraced.Value = true;
        var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is DatabaseRouterTelemetry.ActivitySourceName or "Npgsql",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => s_isTraced.Value ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None,
            ActivityStopped = activity => say(string.Join(' ',
                [activity.Source.Name, activity.DisplayName, activity.StatusDescription, .. activity.TagObjects, .. activity.Baggage, .. activity.Events.SelectMany(e => e.Tags.Select(tag => $"{e.Name} {tag}"))])),
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }

    private static int Setting(string variable, int usual) => int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : usual;
}
