using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ReplicaRouter.AspNetCore.Tests;

/// <summary>The metrics that the sample exports to Prometheus, and what uses their names: the page, the alert rules and the dashboard.</summary>
public partial class MetricsTests(SampleFixture sample) : IClassFixture<SampleFixture>
{
    private static readonly string Monitoring = Path.Combine(AppContext.BaseDirectory, "monitoring");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_page_the_rules_and_the_dashboard_use_the_exported_names_and_labels()
    {
        var text = await ExportAsync();
        var exported = TypeLine().Matches(text).Select(match => match.Groups[1].Value).Where(name => name.StartsWith("replica_router_", StringComparison.Ordinal)).ToHashSet();
        Assert.Equal(TelemetryPage.Metrics.Select(metric => metric.Prometheus).Order(StringComparer.Ordinal), exported.Order(StringComparer.Ordinal));

        foreach (var metric in TelemetryPage.Metrics.Where(metric => metric.Kind != "histogram"))
        {
            var labels = new Regex($@"^{metric.Prometheus}\{{([^}}]*)\}}", RegexOptions.Multiline).Matches(text)
                .Select(match => match.Groups[1].Value)
                // Skips the further router of another test in this process: its metrics have its name as one more label.
                .Where(written => !written.Contains("replica_router_router=", StringComparison.Ordinal))
                .SelectMany(written => LabelName().Matches(written).Select(label => label.Groups[1].Value)).Where(label => !label.StartsWith("otel_", StringComparison.Ordinal)).ToHashSet();
            Assert.Equal(metric.Attributes.Select(name => name.Replace('.', '_')).Order(StringComparer.Ordinal), labels.Order(StringComparer.Ordinal));
        }

        // An unknown value is exported as NaN, which Prometheus can read.
        Assert.Matches(@"(?im)^replica_router_host_lag_seconds\{[^}]*""primary""[^}]*\} nan\b", text);
        if (Promtool.IsHere) await Promtool.ParseAsync(text);

        var used = new[] { "alerts.yml", "grafana-dashboard.json" }.SelectMany(file => MetricName().Matches(File.ReadAllText(Path.Combine(Monitoring, file))).Select(match => match.Value));
        var known = exported.Concat(exported.SelectMany(name => new[] { $"{name}_bucket", $"{name}_count", $"{name}_sum" }))
            .Concat(TelemetryPage.Metrics.SelectMany(metric => metric.Attributes).Append(TelemetryTags.Router).Select(name => name.Replace('.', '_'))).ToHashSet();
        Assert.All(used, name => Assert.Contains(name, known));
    }

    [Fact]
    public async Task Promtool_accepts_the_rules_their_tests_and_the_dashboard()
    {
        Assert.SkipUnless(Promtool.IsHere || Promtool.CanBeHad, "promtool is not installed and can't be: there is no apt-get.");
        await Promtool.RunAsync("check", "rules", Path.Combine(Monitoring, "alerts.yml"));
        await Promtool.RunAsync("test", "rules", Path.Combine(Monitoring, "alerts.test.yml"));
        var queries = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Monitoring, "grafana-dashboard.json"), Ct))!["panels"]!.AsArray()
            .SelectMany(panel => panel!["targets"]!.AsArray()).Select(target => (string)target!["expr"]!).ToList();
        Assert.True(queries.Count > 15);
        var rules = Path.Combine(Directory.CreateTempSubdirectory().FullName, "dashboard.yml");
        await File.WriteAllLinesAsync(rules, ["groups:", "- name: dashboard", "  rules:",
            .. queries.Select((query, i) => $"  - record: panel:{i}\n    expr: '{query.Replace("$__rate_interval", "1m", StringComparison.Ordinal)}'")], Ct);
        await Promtool.RunAsync("check", "rules", rules);
        Directory.Delete(Path.GetDirectoryName(rules)!, recursive: true);
    }

    /// <summary>Returns the metrics after all events that they count have happened.</summary>
    private async Task<string> ExportAsync()
    {
        using var client = new HttpClient { BaseAddress = sample.Address };
        await client.GetStringAsync("/clients", Ct);
        // Cause a fallback and a lost host.
        await sample.Router.DrainAsync("analytics", Ct);
        await sample.Router.ExecuteAsync(DatabaseOperation.Analytics, (_, _) => Task.CompletedTask, Ct);
        await sample.Router.RestoreAsync("analytics", Ct);
        await sample.Cluster["dr"].KillAsync(Ct);
        await SampleFixture.EventuallyAsync(() => Task.FromResult(!sample.Router.GetHealthStatus()["dr"].IsHealthy), () => "dr is down");
        await sample.Cluster["dr"].StartAsync(Ct);
        return await client.GetStringAsync("/metrics", Ct);
    }

    [GeneratedRegex(@"^# TYPE (\S+)", RegexOptions.Multiline)]
    private static partial Regex TypeLine();

    [GeneratedRegex(@"(\w+)=""")]
    private static partial Regex LabelName();

    [GeneratedRegex(@"\breplica_router_\w+")]
    private static partial Regex MetricName();

    private static class Promtool
    {
        public static bool IsHere => File.Exists("/usr/bin/promtool");

        public static bool CanBeHad => File.Exists("/usr/bin/apt-get");

        public static Task RunAsync(params string[] arguments) => RunAsync("", isStyleChecked: true, arguments);

        /// <summary>Checks that Prometheus can read metrics. Their names follow OpenTelemetry, so style is not checked.</summary>
        public static Task ParseAsync(string metrics) => RunAsync(metrics, isStyleChecked: false, "check", "metrics");

        private static async Task RunAsync(string input, bool isStyleChecked, params string[] arguments)
        {
            const int StyleFault = 3;
            Assert.True(IsHere, "promtool is missing: source eng/setup.sh and call require_promtool, as ./test does.");
            using var process = Process.Start(new ProcessStartInfo("/usr/bin/promtool", arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
            var (output, errors) = (process.StandardOutput.ReadToEndAsync(Ct), process.StandardError.ReadToEndAsync(Ct));
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
            await process.WaitForExitAsync(Ct);
            Assert.True(process.ExitCode == 0 || (process.ExitCode == StyleFault && !isStyleChecked), $"promtool {string.Join(' ', arguments)}: {await output}{await errors}");
        }
    }
}
