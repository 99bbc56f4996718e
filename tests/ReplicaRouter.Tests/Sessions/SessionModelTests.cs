using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace ReplicaRouter.Tests.Sessions;

/// <summary>
/// Runs the real session, snapshot and selection against a model of a cluster in which anything can happen between two steps. For any order
/// of events, no read may show less than its session has written or seen.
/// </summary>
public class SessionModelTests
{
    [Property(MaxTest = 2000)]
    public bool No_session_reads_less_than_it_has_seen(PositiveInt seed) => new Model(seed.Get).Run(400) == 0;

    /// <summary>Proves that the model can detect violations.</summary>
    [Fact]
    public void Without_session_requirements_the_same_events_violate_the_guarantee() =>
        Assert.True(Enumerable.Range(1, 50).Sum(seed => new Model(seed) { IgnoresSessions = true }.Run(400)) > 100);

    private sealed class Model
    {
        private static readonly string[] s_replicas = ["analytics", "background", "replica-3"];

        private readonly TestTopology _topology = new(["primary", .. s_replicas]);
        private readonly Random _random;
        private readonly Dictionary<string, Standby> _standbys = s_replicas.ToDictionary(name => name, _ => new Standby());
        private readonly (SessionState State, ulong[] Seen)[] _sessions;
        private ulong _written = 100;
        private int _violations;
        private HostLoad[]? _loads;

        public Model(int seed)
        {
            _random = new Random(seed);
            _sessions = [.. Enumerable.Range(0, 3).Select(_ => (NewSession(), new ulong[1]))];
        }

        public bool IgnoresSessions { get; init; }

        private SessionState NewSession() => new(_topology.Time);

        public int Run(int steps)
        {
            Probe("primary");
            foreach (var name in s_replicas) Probe(name);
            for (var i = 0; i < steps; i++)
            {
                _topology.Advance(_random.NextDouble() * 0.02);
                Step(_random.Next(100), s_replicas[_random.Next(s_replicas.Length)], _sessions[_random.Next(_sessions.Length)]);
            }

            return _violations;
        }

        private void Step(int what, string replica, (SessionState State, ulong[] Seen) session)
        {
            var standby = _standbys[replica];
            switch (what)
            {
                case < 15: Write(session); break;
                case < 18: _written += (ulong)_random.Next(1, 50); break;                      // another client writes
                case < 35: standby.Receive(_written, _random); break;
                case < 45: standby.Replay(_random); break;
                case < 60: Probe(replica); break;
                case < 63: Probe("primary"); break;
                case < 66: standby.Crash(_random, _topology.Time.GetTimestamp()); break;
                case < 67: Hop(session); break;
                default: Read(session, 0); break;
            }
        }

        private void Write((SessionState State, ulong[] Seen) session)
        {
            var primary = _topology["primary"].Configuration;
            var use = session.State.Begin(primary, 1, true, Tick());
            _written += (ulong)_random.Next(1, 20);
            session.Seen[0] = _written;
            session.State.End(use, Tick());
        }

        private void Read((SessionState State, ulong[] Seen) session, int tries)
        {
            var demand = IgnoresSessions ? default : session.State.Demand(_topology.Current, Tick());
            var plan = _topology.Configuration.PlanOf(DatabaseOperation.Read);
            var request = RouteRequest.For(plan, default, _topology.Time) with { Floor = demand.Floor, Preferred = demand.Affinity };
            if (HostSelection.Choose(_topology.Current, plan, request, _loads ??= _topology.Loads(), _random).Host is not { } host) return;
            if (!demand.Allows(host))
            {
                session.State.Release();
                // Probes a random host, whether its answer helps or not.
                Probe(_random.Next(6) == 0 ? "primary" : s_replicas[_random.Next(s_replicas.Length)]);
                if (tries < 5) Read(session, tries + 1);
                return;
            }

            var shown = _written;
            if (host.Role == HostRole.Replica)
            {
                var standby = _standbys[host.Name];
                var login = standby.Connection(_random, Tick());
                if (!IgnoresSessions && !ConnectionProof.Holds(session.State, _topology.Current, _topology[host.Name].Configuration, login))
                {
                    session.State.Release();
                    return;
                }

                shown = standby.Visible(_random);
            }

            var use = session.State.Begin(host.Configuration, 1, false, Tick());
            if (shown < session.Seen[0]) _violations++;
            session.Seen[0] = shown;
            session.State.End(use, Tick());
        }

        /// <summary>Continues the session in another process, which knows only its token.</summary>
        private void Hop((SessionState State, ulong[] Seen) session)
        {
            if (IgnoresSessions) return;
            var (token, _, _) = session.State.Export(_topology.Current, Tick(), default);
            var index = Array.FindIndex(_sessions, other => other.State == session.State);
            var next = NewSession();
            if (token is { } given) next.Merge(given, Tick());
            _sessions[index] = (next, session.Seen);
        }

        private void Probe(string host)
        {
            Tick();
            _topology.Answer(host, host == "primary" ? TestTopology.Primary(_written) : _standbys[host].Answer(_topology.Time.GetTimestamp()));
            Tick();
        }

        private long Tick()
        {
            _topology.Advance(0.000_01);
            return _topology.Time.GetTimestamp();
        }

        private sealed class Standby
        {
            private ulong _received = 100;
            private ulong _replayed = 100;
            private ulong _shown = 100;
            private long _startedAt = 1;
            private long _probeConnectedAt;
            private bool _isProbeConnected;
            private readonly List<HostAnswer> _connections = [];

            public void Receive(ulong written, Random random) => _received += (ulong)random.NextInt64((long)(written - _received) + 1);

            public void Replay(Random random) => _replayed = Math.Max(_replayed, _replayed + (ulong)random.NextInt64((long)(_received - _replayed) + 1));

            /// <summary>Returns the position that a reader sees: everything replayed, and possibly records whose replay is not reported yet.</summary>
            public ulong Visible(Random random)
            {
                _shown = Math.Max(_shown, Math.Max(_replayed, random.Next(2) == 0 ? _replayed + (ulong)random.NextInt64((long)(_received - _replayed) + 1) : _replayed));
                return _shown;
            }

            /// <summary>Restarts from a restart point and loses unflushed WAL; half of the time under the same postmaster.</summary>
            public void Crash(Random random, long now)
            {
                _replayed = (ulong)random.NextInt64((long)_replayed / 2, (long)_replayed + 1);
                _received = _shown = _replayed;
                if (random.Next(2) == 0) _startedAt = now;
                _isProbeConnected = false;
                _connections.Clear();
            }

            public HostAnswer Answer(long now)
            {
                if (!_isProbeConnected) (_isProbeConnected, _probeConnectedAt) = (true, now);
                return Of(_probeConnectedAt);
            }

            /// <summary>Returns an open pooled connection or a new one.</summary>
            public HostAnswer Connection(Random random, long now)
            {
                if (_connections.Count == 0 || random.Next(4) == 0) _connections.Add(Of(now));
                return _connections[random.Next(_connections.Count)];
            }

            private HostAnswer Of(long connectedAt) =>
                TestTopology.Replica(_replayed, received: _received) with { StartedAt = _startedAt, ConnectedAt = connectedAt };
        }
    }
}
