using FsCheck.Xunit;

namespace ReplicaRouter.Tests.Wal;

public class WalPositionTests
{
    private const uint Segment = 16 * 1024 * 1024;
    private const uint Block = 8192;

    [Theory]
    [InlineData(0x3020018UL, 0x3020000UL)]   // after the short header of a page
    [InlineData(0x3000028UL, 0x3000000UL)]   // after the long header of a segment's first page
    [InlineData(0x3020000UL, 0x3020000UL)]
    [InlineData(0x3020019UL, 0x3020019UL)]
    [InlineData(0x3020028UL, 0x3020028UL)]   // 40 bytes into an ordinary page is inside a record
    public void A_position_after_a_page_header_maps_to_the_end_of_the_record_before(ulong insert, ulong end) =>
        Assert.Equal(end, WalPosition.EndOfRecord(insert, Segment, Block));

    [Property(MaxTest = 1000)]
    public void The_end_of_a_record_is_the_position_itself_or_one_header_earlier(ulong insert)
    {
        var end = WalPosition.EndOfRecord(insert, Segment, Block);
        Assert.True(end == insert || (end % Block == 0 && insert - end is 24 or 40));
    }
}
