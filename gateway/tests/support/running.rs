//! The gateway in the middle of a laboratory: started, stopped, and its configurations.
#![allow(dead_code)] // every test uses a part of it

use std::path::{Path, PathBuf};

use gateway::demo::gateway::{Ending, Gateway};
use gateway::demo::topology::{Lab, port_name};

/// A gateway in the middle of a laboratory, with its files.
pub(crate) struct Running {
    pub(crate) gateway: Gateway,
    folder: tempfile::TempDir,
}

/// Starts the gateway with one worker per `lcores`, `"0"` or `"0, 1"`.
pub(crate) fn start(lab: &Lab, lcores: &str, configuration: &str) -> Running {
    start_program(Path::new(env!("CARGO_BIN_EXE_gateway")), lab, lcores, configuration)
}

/// The same with another program, which runs the gateway in the end.
pub(crate) fn start_program(
    executable: &Path,
    lab: &Lab,
    lcores: &str,
    configuration: &str,
) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let runtime = format!(
        "[runtime]\nlcores = [{lcores}]\nhugepages = false\nmemory_mb = 256\nidle_sleep_us = 20\n"
    );
    let text = format!("{runtime}{configuration}");
    let gateway = Gateway::start(executable, &lab.middle, folder.path(), &text).unwrap();
    Running { gateway, folder }
}

impl Running {
    /// Its control socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("gateway.sock")
    }

    /// Stops it and demands that it ended as it should: in time, with status 0.
    pub(crate) fn stop_clean(self) -> Ending {
        let ending = self.gateway.stop().unwrap();
        assert_eq!(ending.status.code(), Some(0), "{}", ending.said.join("\n"));
        ending
    }
}

/// A `[[port]]` on every interface of the middle; `addresses` of a port, quoted, or "".
pub(crate) fn ports(lab: &Lab, addresses: impl Fn(usize) -> String) -> String {
    (0..lab.hosts.len())
        .map(|index| {
            let (name, addresses) = (port_name(index), addresses(index));
            format!(
                "[[port]]\nname = \"{name}\"\ndevice = \"net_af_packet{index},iface={name}\"\n\
                 addresses = [{addresses}]\n"
            )
        })
        .collect()
}

/// All ports in one bridge.
pub(crate) fn bridge(lab: &Lab) -> String {
    let members: Vec<_> = (0..lab.hosts.len()).map(|i| format!("\"{}\"", port_name(i))).collect();
    let ports = ports(lab, |_| String::new());
    format!("{ports}[[bridge]]\nname = \"br0\"\nports = [{}]\n", members.join(", "))
}

/// The router of [`plug_routed`], its hosts' link addresses given as the kernel's would be.
pub(crate) fn router(lab: &Lab) -> String {
    let mut text = ports(lab, |index| {
        let net = index + 1;
        format!("\"10.78.{net}.1/24\", \"fd78:{net}::1/64\"")
    });
    for (index, host) in lab.hosts.iter().enumerate() {
        for address in &host.addresses {
            let (address, mac, port) = (address.addr(), host.mac, port_name(index));
            text += &format!(
                "[[neighbor]]\naddress = \"{address}\"\nmac = \"{mac}\"\nport = \"{port}\"\n"
            );
        }
    }
    text
}
