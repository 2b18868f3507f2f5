//! DPDK's environment abstraction layer: memory, buses, drivers. Starts once per process.

use core::ffi::CStr;
use std::ffi::CString;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use dpdk_sys as sys;

use super::log::{self, Capture};
use super::{Device, Errno, Error};

/// The running EAL. `Clone` is another handle; the last one ends it.
#[derive(Clone)]
pub struct Eal {
    _running: Arc<Running>,
}

/// How the EAL starts.
#[derive(Clone, Debug)]
pub struct EalOptions {
    /// Hugepages; without them DPDK's memory is ordinary, for development and tests.
    pub hugepages: bool,
    /// Memory in MiB.
    pub memory_mb: u32,
    /// The devices that will be opened; PCI devices not among them are left alone.
    pub devices: Vec<Device>,
    /// Further arguments, as they are. What they say replaces what would be said here.
    pub args: Vec<String>,
}

struct Running(());

impl Eal {
    /// Starts the EAL.
    ///
    /// The calling thread becomes DPDK's main lcore but keeps its CPUs, so threads spawned later
    /// run where they would have run.
    ///
    /// # Errors
    /// Says what is missing; [`Error::remedy`] how to get it.
    pub fn start(options: &EalOptions) -> Result<Self, Error> {
        static STARTED: AtomicBool = AtomicBool::new(false);
        let args = arguments(options)?;
        if STARTED.swap(true, Ordering::Relaxed) {
            return Err(Error::StartedBefore);
        }
        let mut capture = Capture::start();
        init(&args).map_err(|errno| failure(errno, options, &args, capture.lines()))?;
        if !given(&options.args, &["--log-level"]) {
            log::errors_only();
        }
        Ok(Self { _running: Arc::new(Running(())) })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // SAFETY: everything that points into DPDK's memory keeps a handle on the EAL (ports,
        // pools, lcores), or made a pool keep one for ever (mbufs): nothing is left.
        unsafe { sys::rte_eal_cleanup() };
    }
}

/// The version of DPDK that runs, as "DPDK 22.11.11".
pub fn version() -> &'static str {
    // SAFETY: rte_version works before the EAL.
    let text = unsafe { sys::rte_version() };
    // SAFETY: it is a NUL-terminated string in a static buffer that is filled once.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().unwrap_or("DPDK")
}

fn arguments(options: &EalOptions) -> Result<Vec<CString>, Error> {
    let mut args = vec!["gateway".to_owned(), "--no-telemetry".into()];
    let user = &options.args;
    if !given(user, &["-l", "-c", "--lcores", "-S"]) {
        args.extend(["--lcores".into(), format!("0@({})", own_cpus())]);
    }
    if options.hugepages {
        // No files in hugetlbfs that others, or a second gateway, could trip over; no root needed.
        args.push("--in-memory".into());
    } else {
        // --in-memory is refused beside --no-huge (22.11); this keeps files away as well.
        args.extend(["--no-huge".into(), "--no-shconf".into()]);
    }
    if !given(user, &["-m", "--socket-mem"]) {
        args.extend(["-m".into(), options.memory_mb.to_string()]);
    }
    let pci: Vec<_> = options.devices.iter().filter(|device| device.is_pci()).collect();
    if pci.is_empty() && !given(user, &["-a", "--allow", "-b", "--block", "-w", "--no-pci"]) {
        args.push("--no-pci".into());
        if !given(user, &["--iova-mode"]) {
            // Nothing will do DMA: no need to look physical addresses up.
            args.push("--iova-mode=va".into());
        }
    }
    for device in pci {
        args.extend(["-a".into(), device.text().to_owned()]);
    }
    args.extend_from_slice(user);
    args.into_iter().map(|arg| CString::new(arg.clone()).map_err(|_| Error::Nul(arg))).collect()
}

/// Whether one of the options is among the arguments: `-m 64`, `-m64`, `--x y` or `--x=y`.
fn given(args: &[String], options: &[&str]) -> bool {
    let is = |arg: &str, option: &str| match arg.strip_prefix(option) {
        Some(rest) => rest.is_empty() || rest.starts_with('=') || !option.starts_with("--"),
        None => false,
    };
    args.iter().any(|arg| options.iter().any(|option| is(arg, option)))
}

/// The CPUs this thread may run on.
fn own_cpus() -> String {
    let cpus = core_affinity::get_core_ids().unwrap_or_default();
    let list: Vec<_> = cpus.iter().map(|cpu| cpu.id.to_string()).collect();
    if list.is_empty() { "0".into() } else { list.join(",") }
}

fn init(args: &[CString]) -> Result<(), Errno> {
    // rte_eal_init permutes the pointers as getopt does, and keeps some of the strings.
    static KEPT: OnceLock<Vec<CString>> = OnceLock::new();
    let args = KEPT.get_or_init(|| args.to_vec());
    let mut argv: Vec<_> = args.iter().map(|arg| arg.as_ptr().cast_mut()).collect();
    argv.push(core::ptr::null_mut());
    // SAFETY: argc strings and a null pointer, alive for ever; the callee does not write the
    // strings. It is called once per process (`STARTED`).
    let ret = unsafe { sys::rte_eal_init(args.len() as i32, argv.as_mut_ptr()) };
    Errno::check(ret).map(|_| ())
}

fn failure(errno: Errno, options: &EalOptions, args: &[CString], log: String) -> Error {
    let no_pages = log.contains("hugepages") || log.contains("hugetlbfs");
    match errno.0 {
        libc::EACCES | libc::ENOMEM if options.hugepages && no_pages => Error::NoHugepages { log },
        libc::ENOMEM => Error::EalMemory { memory_mb: options.memory_mb, log },
        libc::EACCES | libc::EPERM => Error::Permission { log },
        libc::EINVAL => {
            let args: Vec<_> = args.iter().skip(1).map(|arg| arg.to_string_lossy()).collect();
            Error::EalArguments { args: args.join(" "), log }
        }
        _ => Error::Eal { errno, log },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(options: &EalOptions) -> Vec<String> {
        let args = arguments(options).unwrap();
        args.into_iter().map(|arg| arg.into_string().unwrap()).collect()
    }

    fn options(devices: &[&str], args: &[&str]) -> EalOptions {
        EalOptions {
            hugepages: false,
            memory_mb: 64,
            devices: devices.iter().map(|text| text.parse().unwrap()).collect(),
            args: args.iter().map(|&arg| arg.into()).collect(),
        }
    }

    #[test]
    fn only_configured_pci_devices_are_touched() {
        assert!(texts(&options(&["net_null0"], &[])).contains(&"--no-pci".into()));
        let args = texts(&options(&["0000:03:00.0", "net_null0"], &[]));
        assert!(args.windows(2).any(|pair| pair == ["-a", "0000:03:00.0"]));
        assert!(!args.contains(&"--no-pci".into()));
    }

    #[test]
    fn what_the_user_says_replaces_ours() {
        let args = texts(&options(&[], &["-l", "1", "-m32", "-a", "0000:01:00.0"]));
        for ours in ["--lcores", "-m", "--no-pci"] {
            assert!(!args.contains(&ours.into()), "{ours}");
        }
        assert_eq!(args[args.len() - 5..], ["-l", "1", "-m32", "-a", "0000:01:00.0"]);
    }
}
