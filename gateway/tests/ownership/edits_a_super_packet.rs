use gateway::packet::{FrameInfo, PacketBuf, SuperPacket};
use gateway::sim::HeapBuf;

fn edit(info: FrameInfo, segments: &mut Vec<HeapBuf>) {
    let super_packet = SuperPacket::from_segments(info, segments).unwrap();
    super_packet.segments()[0].head_mut().fill(0);
    super_packet.info().frame_len = 0;
}

fn main() {}
