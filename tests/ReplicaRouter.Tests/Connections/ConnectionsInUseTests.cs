namespace ReplicaRouter.Tests.Connections;

public class ConnectionsInUseTests
{
    private readonly ConnectionsInUse _connections = new();

    [Fact]
    public void A_connection_counts_from_its_opening_until_its_closing_whether_or_not_it_has_a_command_under_way()
    {
        _connections.Opened();
        _connections.Opened();
        Assert.Equal(2, _connections.Count);
        _connections.Closed(commands: 1);
        Assert.Equal(1, _connections.Count);
    }

    [Fact]
    public void One_that_was_idle_from_probe_to_probe_is_only_held_until_it_is_used_again()
    {
        _connections.Opened();
        _connections.NoteHeld(commands: 0);
        Assert.Equal(1, _connections.Count);
        _connections.NoteHeld(commands: 0);
        Assert.Equal(0, _connections.Count);
        _connections.NoteIdle(commands: 1);
        Assert.Equal(1, _connections.Count);
    }

    [Fact]
    public void Held_connections_are_told_from_those_that_take_turns_beside_them()
    {
        _connections.Opened();
        for (var probe = 0; probe < 3; probe++)
        {
            for (var use = 0; use < 10; use++)
            {
                _connections.Opened();
                _connections.NoteIdle(commands: 1);
                _connections.Closed(commands: 0);
            }

            _connections.NoteHeld(commands: 0);
        }

        Assert.Equal(0, _connections.Count);
        _connections.Opened();
        Assert.Equal(1, _connections.Count);
    }

    [Fact]
    public void What_is_held_no_longer_is_forgotten_when_it_is_closed()
    {
        _connections.Opened();
        _connections.NoteHeld(commands: 0);
        _connections.NoteHeld(commands: 0);
        _connections.Closed(commands: 0);
        Assert.Equal(0, _connections.Count);
        _connections.Opened();
        Assert.Equal(1, _connections.Count);
    }
}
