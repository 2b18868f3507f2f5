//! A TAP interface with virtio-net headers (Linux Documentation/networking/tuntap.rst): a port of the
//! host's kernel whose cable ends in this program. It goes when it is dropped, unless it was there
//! before and is persistent.

use core::ffi::{c_int, c_ulong};
use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;

use crate::host::Interface;

/// Its end in this program. Frames have a `struct virtio_net_hdr` of 10 bytes in front.
pub struct Tap {
    file: File,
    uso: bool,
}

impl Tap {
    /// Makes the interface, or opens one made beforehand for this user (`ip tuntap add NAME mode tap
    /// vnet_hdr user USER`).
    ///
    /// # Errors
    /// As open(2) of /dev/net/tun and the ioctls TUNSETIFF and TUNSETOFFLOAD.
    pub fn open(name: &str) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file =
            options.read(true).write(true).custom_flags(libc::O_NONBLOCK).open("/dev/net/tun")?;
        attach(&file, name)?;
        // The kernel leaves checksums and segmentation of datagrams to whoever reads; without USO
        // (before Linux 6.2) it leaves nothing.
        let uso = libc::TUN_F_CSUM | libc::TUN_F_USO4 | libc::TUN_F_USO6;
        let takes_uso = set(&file, libc::TUNSETOFFLOAD, uso.into()).is_ok();
        if !takes_uso {
            set(&file, libc::TUNSETOFFLOAD, 0)?;
        }
        Ok(Self { file, uso: takes_uso })
    }
}

impl Interface for Tap {
    fn receive(&mut self, frame: &mut [u8]) -> io::Result<usize> {
        self.file.read(frame)
    }

    fn send(&mut self, frame: &[IoSlice<'_>]) -> io::Result<()> {
        self.file.write_vectored(frame).map(|_| ())
    }

    fn takes_super_packets(&self) -> bool {
        self.uso
    }

    fn set_carrier(&mut self, up: bool) -> io::Result<()> {
        let up = c_int::from(up);
        // SAFETY: TUNSETCARRIER reads an int, which is alive during the call.
        let ret = unsafe { libc::ioctl(self.file.as_raw_fd(), libc::TUNSETCARRIER, &raw const up) };
        if ret < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

fn attach(file: &File, name: &str) -> io::Result<()> {
    // SAFETY: integers, bytes and pointers that may be null: zero is a value.
    let mut request: libc::ifreq = unsafe { core::mem::zeroed() };
    if name.len() >= request.ifr_name.len() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    for (to, byte) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = byte as libc::c_char;
    }
    request.ifr_ifru.ifru_flags =
        (libc::IFF_TAP | libc::IFF_NO_PI | libc::IFF_VNET_HDR) as libc::c_short;
    // SAFETY: TUNSETIFF reads and writes a `struct ifreq`, which is alive during the call.
    let ret = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
    if ret < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// An ioctl whose argument is a number.
fn set(file: &File, request: libc::Ioctl, value: c_ulong) -> io::Result<()> {
    // SAFETY: the requests used here take their argument by value.
    let ret = unsafe { libc::ioctl(file.as_raw_fd(), request, value) };
    if ret < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
