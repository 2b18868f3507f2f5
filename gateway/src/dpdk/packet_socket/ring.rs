use dpdk_sys as sys;

use super::super::{Device, Error};

/// The shape of a socket's rings: one for receiving, one as large for sending, in one mapping.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::dpdk) struct Ring {
    block_bytes: u32,
    frame_bytes: u32,
    frames: u32,
}

/// Ethernet header and two tags.
const L2_MAX: u32 = 14 + 2 * 4;
/// Before a received frame: `tpacket2_hdr` and `sockaddr_ll`, and the network header aligned to 16
/// (`tpacket_rcv` in net/packet/af_packet.c).
const RX_HEAD: u32 = 66;
/// What the driver counts on top of the data: `TPACKET2_HDRLEN - sizeof(struct sockaddr_ll)`.
const DRIVER_HEAD: u32 = 32;
/// The driver's own defaults.
const BLOCK_DEFAULT: u32 = 4096;
const FRAME_DEFAULT: u32 = 2048;
const FRAMES_DEFAULT: u32 = 512;

impl Ring {
    /// A ring for frames of this IP MTU, and the device with the arguments that make it. What the
    /// device names already is left as it is.
    pub(in crate::dpdk) fn for_device(
        device: &Device,
        mtu: u16,
        descriptors: u16,
        data_room: usize,
    ) -> Result<(Self, Device), Error> {
        let argument = |key| device.argument(key).and_then(|text| text.parse::<u32>().ok());
        let (block, frame, frames) =
            (argument("blocksz"), argument("framesz"), argument("framecnt"));
        let ring = if block.is_some() || frame.is_some() {
            Self {
                block_bytes: block.unwrap_or(BLOCK_DEFAULT),
                frame_bytes: frame.unwrap_or(FRAME_DEFAULT),
                frames: frames.unwrap_or(FRAMES_DEFAULT),
            }
        } else {
            Self::fitting(mtu, frames.unwrap_or(u32::from(descriptors)))
        };
        let needed = (ring.frame_bytes.saturating_sub(DRIVER_HEAD)) as usize;
        if needed > data_room {
            let device = device.text().to_owned();
            return Err(Error::BufferTooSmall { device, mtu, needed, room: data_room });
        }
        let shape = [
            ("blocksz", block, ring.block_bytes),
            ("framesz", frame, ring.frame_bytes),
            ("framecnt", frames, ring.frames),
        ];
        let missing = shape.iter().filter(|(_, given, _)| given.is_none());
        let device =
            missing.fold(device.clone(), |device, (key, _, n)| device.with_argument(key, n));
        Ok((ring, device))
    }

    fn fitting(mtu: u16, frames: u32) -> Self {
        let needed = u32::from(mtu) + L2_MAX + RX_HEAD;
        if needed <= FRAME_DEFAULT {
            return Self { block_bytes: BLOCK_DEFAULT, frame_bytes: FRAME_DEFAULT, frames };
        }
        // 16 frames of a multiple of 256 bytes are whole pages.
        let frame_bytes = needed.next_multiple_of(256);
        Self { block_bytes: 16 * frame_bytes, frame_bytes, frames: frames.next_multiple_of(16) }
    }

    pub(super) const fn frame_bytes(self) -> usize {
        self.frame_bytes as usize
    }

    pub(super) const fn frames(self) -> usize {
        self.frames as usize
    }

    /// Bytes of both rings.
    pub(super) fn map_bytes(self) -> usize {
        2 * self.block_bytes as usize * self.blocks() as usize
    }

    /// A send buffer that a full ring does not fill: half of what the kernel makes of it (twice the
    /// number) is where a socket stops being writable (`sock_writeable`), and a frame costs its
    /// bytes and an skb.
    pub(super) fn send_buffer(self) -> usize {
        self.frames as usize * (self.frame_bytes as usize + 2048)
    }

    pub(super) fn request(self) -> sys::tpacket_req {
        sys::tpacket_req {
            tp_block_size: self.block_bytes,
            tp_block_nr: self.blocks(),
            tp_frame_size: self.frame_bytes,
            tp_frame_nr: self.frames,
        }
    }

    fn blocks(self) -> u32 {
        let per_block = self.block_bytes.checked_div(self.frame_bytes).unwrap_or(0);
        self.frames.checked_div(per_block).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(text: &str, mtu: u16, room: usize) -> Result<(Ring, String), Error> {
        let (ring, device) = Ring::for_device(&text.parse().unwrap(), mtu, 1024, room)?;
        Ok((ring, device.text().to_owned()))
    }

    #[test]
    fn frames_of_the_mtu_fit() {
        let (usual, text) = ring("net_af_packet0,iface=a", 1500, 2048).unwrap();
        assert_eq!(text, "net_af_packet0,iface=a,blocksz=4096,framesz=2048,framecnt=1024");
        assert_eq!(usual.map_bytes(), 2 * 1024 * 2048);
        for mtu in [1961, 4000, 9000, 9600] {
            let (jumbo, _) = ring("net_af_packet0,iface=a", mtu, 16384).unwrap();
            let request = jumbo.request();
            assert!(request.tp_frame_size >= u32::from(mtu) + L2_MAX + RX_HEAD);
            assert_eq!(request.tp_block_size % 4096, 0, "whole pages");
            assert_eq!(request.tp_block_size % request.tp_frame_size, 0, "no gap between frames");
            let per_block = request.tp_block_size / request.tp_frame_size;
            assert_eq!(request.tp_frame_nr, per_block * request.tp_block_nr);
        }
        assert!(matches!(
            ring("net_af_packet0,iface=a", 9000, 2048),
            Err(Error::BufferTooSmall { needed: 9184, room: 2048, .. })
        ));
    }

    #[test]
    fn what_the_operator_says_stays() {
        let (given, text) = ring("net_af_packet0,iface=a,framecnt=64", 1500, 2048).unwrap();
        assert_eq!(text, "net_af_packet0,iface=a,framecnt=64,blocksz=4096,framesz=2048");
        assert_eq!(given.request().tp_block_nr, 32);
        let (given, text) = ring("net_af_packet0,iface=a,blocksz=8192", 1500, 2048).unwrap();
        assert_eq!(text, "net_af_packet0,iface=a,blocksz=8192,framesz=2048,framecnt=512");
        assert_eq!(given.request().tp_block_nr, 128);
    }
}
