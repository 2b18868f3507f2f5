use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use gateway::config::{Config, parse};
use tempfile::TempDir;

use super::*;

/// A machine as the kernel tells of it.
struct Machine(TempDir);

impl Machine {
    /// Four cores, two of them isolated; root; 512 free hugepages of 2 MiB; an IOMMU.
    fn new() -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        machine.write("/proc/self/status", "CapEff:\t000001ffffffffff\nCpus_allowed_list:\t0-3\n");
        machine.write("/proc/self/limits", "Max locked memory  8388608  8388608  bytes\n");
        machine.write("/sys/devices/system/cpu/isolated", "2-3\n");
        machine.write("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "512\n");
        machine.write("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "512\n");
        machine.write("/sys/kernel/iommu_groups/0/type", "DMA\n");
        machine
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A PCI device and the driver it is bound to.
    fn pci(&self, address: &str, driver: &str) {
        self.write(&format!("/sys/bus/pci/devices/{address}/numa_node"), "0\n");
        let driver = format!("../../../bus/pci/drivers/{driver}");
        let folder = self.root().join(format!("sys/bus/pci/devices/{address}"));
        symlink(driver, folder.join("driver")).unwrap();
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    fn examine(&self, config: Option<&Config>) -> Vec<Finding> {
        examine(&System::below(self.root()), config)
    }

    /// The one finding about `what`.
    fn find(&self, config: &Config, what: &str) -> Finding {
        let mut all = self.examine(Some(config));
        all.retain(|finding| finding.what == what);
        assert_eq!(all.len(), 1, "{what}: {all:?}");
        all.remove(0)
    }
}

fn config(device: &str, runtime: &str) -> Config {
    let text = format!("[runtime]\n{runtime}\n[[port]]\nname = \"p0\"\ndevice = \"{device}\"\n");
    parse("test.toml", &text).unwrap_or_else(|errors| panic!("{errors}"))
}

fn mend(finding: &Finding) -> &str {
    finding.mend.as_deref().expect("a finding that is not ok says how to mend it")
}

#[test]
fn a_machine_as_it_should_be() {
    let machine = Machine::new();
    machine.pci("0000:03:00.0", "vfio-pci");
    let findings = machine.examine(Some(&config("03:00.0", "lcores = [2, 3]")));
    assert!(findings.iter().all(|finding| finding.level == Level::Ok), "{}", report(&findings));
    assert!(report(&findings).ends_with("0 bad, 0 advice"));
}

#[test]
fn hugepages_that_are_missing() {
    let machine = Machine::new();
    let finding = machine.find(&config("net_null0", "memory_mb = 2048"), "hugepages");
    assert_eq!(finding.level, Level::Bad);
    assert!(mend(&finding).starts_with("sysctl -w vm.nr_hugepages=1024,"), "{finding:?}");
    let finding = machine.find(&config("net_null0", "hugepages = false"), "hugepages");
    assert_eq!(finding.level, Level::Ok);
}

#[test]
fn workers_on_a_node_without_hugepages() {
    let machine = Machine::new();
    for (node, cpus, free) in [(0, "0-1", 512), (1, "2-3", 0)] {
        let folder = format!("/sys/devices/system/node/node{node}");
        machine.write(&format!("{folder}/cpulist"), cpus);
        let file = format!("{folder}/hugepages/hugepages-2048kB/free_hugepages");
        machine.write(&file, &free.to_string());
    }
    let finding = machine.find(&config("net_null0", "lcores = [2]"), "NUMA");
    assert!(finding.found.starts_with("node 1") && mend(&finding).contains("/node1/"));
    let on_node_0 = machine.examine(Some(&config("net_null0", "lcores = [0]")));
    assert!(on_node_0.iter().all(|finding| finding.what != "NUMA"));
}

#[test]
fn cores_that_cannot_be_used_or_are_shared() {
    let machine = Machine::new();
    let finding = machine.find(&config("net_null0", "lcores = [2, 7]"), "cores");
    assert_eq!(finding.level, Level::Bad);
    assert_eq!(mend(&finding), "set lcores to some of 0,1,2,3");

    let finding = machine.find(&config("net_null0", "lcores = [1, 2]"), "isolation");
    assert_eq!(finding.level, Level::Advice);
    assert!(finding.found.contains("lcores 1 also") && mend(&finding).contains("isolcpus=1,2"));

    for cpu in [2, 3] {
        let file = format!("/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list");
        machine.write(&file, "2-3\n");
    }
    let findings = machine.examine(Some(&config("net_null0", "lcores = [2, 3]")));
    assert!(findings.iter().any(|f| f.found == "lcores 2 and 3 are one physical core"));
}

#[test]
fn pci_devices() {
    let machine = Machine::new();
    let config = config("0000:03:00.0", "lcores = [2]");
    let finding = machine.find(&config, "port p0");
    assert_eq!(finding.found, "there is no device 0000:03:00.0");

    machine.pci("0000:03:00.0", "ixgbe");
    let finding = machine.find(&config, "port p0");
    assert_eq!(finding.level, Level::Bad);
    assert!(mend(&finding).contains("driverctl set-override 0000:03:00.0 vfio-pci"));

    fs::remove_dir_all(machine.root().join("sys/kernel/iommu_groups")).unwrap();
    assert_eq!(machine.find(&config, "IOMMU").level, Level::Bad);
    machine.write("/sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y\n");
    assert_eq!(machine.find(&config, "IOMMU").level, Level::Advice);
}

#[test]
fn memory_that_may_not_be_locked() {
    let machine = Machine::new();
    machine.write("/proc/self/status", "CapEff:\t0000000000000000\nCpus_allowed_list:\t0-3\n");
    let finding = machine.find(&config("0000:03:00.0", ""), "locked memory");
    assert_eq!(finding.level, Level::Bad);
    assert!(mend(&finding).contains("LimitMEMLOCK=infinity"));
    machine.write("/proc/self/limits", "Max locked memory  unlimited  unlimited  bytes\n");
    assert_eq!(machine.find(&config("0000:03:00.0", ""), "locked memory").level, Level::Ok);
}

#[test]
fn kernel_interfaces() {
    let machine = Machine::new();
    let config = config("net_af_packet0,iface=veth0", "");
    assert_eq!(machine.find(&config, "port p0").found, "there is no interface veth0");
    machine.write("/sys/class/net/veth0/flags", "0x1002\n");
    let finding = machine.find(&config, "port p0");
    assert_eq!((finding.level, mend(&finding)), (Level::Bad, "ip link set veth0 up"));
    machine.write("/sys/class/net/veth0/flags", "0x1003\n");
    machine.write("/sys/class/net/veth0/carrier", "0\n");
    assert_eq!(machine.find(&config, "port p0").level, Level::Advice);
    machine.write("/sys/class/net/veth0/carrier", "1\n");
    assert_eq!(machine.find(&config, "port p0").level, Level::Ok);

    machine.write("/proc/self/status", "CapEff:\t0000000000000000\nCpus_allowed_list:\t0-3\n");
    let findings = machine.examine(Some(&config));
    assert!(findings.iter().any(|f| f.found == "net_af_packet0 needs CAP_NET_RAW"));
}

#[test]
fn files_and_devices_that_need_nothing() {
    let machine = Machine::new();
    let pcap = config("net_pcap0,rx_pcap=/in.pcap", "");
    assert_eq!(machine.find(&pcap, "port p0").found, "/in.pcap is not there");
    machine.write("/in.pcap", "");
    assert_eq!(machine.find(&pcap, "port p0").level, Level::Ok);
    assert_eq!(machine.find(&config("net_null0", ""), "port p0").level, Level::Ok);
    assert_eq!(machine.find(&config("net_tap0", ""), "port p0").found, "there is no /dev/net/tun");
}

#[test]
fn without_a_configuration_nothing_is_bad() {
    let machine = Machine(tempfile::tempdir().unwrap());
    let findings = machine.examine(None);
    assert!(findings.iter().any(|finding| finding.level == Level::Advice));
    assert!(findings.iter().all(|finding| finding.level != Level::Bad), "{findings:?}");
}
