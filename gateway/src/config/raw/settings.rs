//! `[runtime]`, `[gro]` and `[control]`: no names to resolve, so they are read into their final
//! form. Every limit of the file is here or beside its section.

use core::time::Duration;
use std::net::SocketAddr;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::DeValue;

use super::super::problem::{Problem, Problems};
use super::super::reader::{Key, Reader, as_number, key};
use super::super::{Control, Gro, GroMode, Runtime};

/// Words for a form of super-packets.
pub(super) const MODES: &[(&str, GroMode)] =
    &[("off", GroMode::Off), ("list", GroMode::List), ("merge", GroMode::Merge)];
/// `sun_path` has 108 bytes (unix(7)), and the socket is made under a longer name first.
const SOCKET_PATH_BYTES: usize = 100;
/// Processors a `cpu_set_t` can name (CPU_SET(3)).
const LCORE_LAST: u32 = 1023;
const LCORES: Key = key("lcores", "[2, 3]");
const HUGEPAGES: Key = key("hugepages", "true");
const EAL_ARGS: Key = key("eal_args", r#"["--log-level=lib.eal:debug"]"#);
const ADAPTIVE: Key = key("adaptive", "true");
const MODE: Key = key("mode", r#""list""#);
const SOCKET: Key = key("socket", r#""/run/gateway/gateway.sock""#);
const METRICS: Key = key("metrics", r#""127.0.0.1:9464""#);

pub(super) fn runtime(reader: Option<Reader<'_, '_>>, problems: &mut Problems) -> Runtime {
    let mut runtime = Runtime::default();
    let Some(mut r) = reader else { return runtime };
    if let Some(value) = r.value(LCORES.name) {
        runtime.lcores = lcores(value, &mut r, problems);
    }
    if let Some(hugepages) = r.flag(HUGEPAGES, problems) {
        runtime.hugepages = hugepages.into_inner();
    }
    runtime.memory_mb = r.number("memory_mb", 16..=1_048_576, runtime.memory_mb, problems);
    runtime.eal_args = eal_args(&mut r, problems);
    runtime.burst = r.number("burst", 1..=256, runtime.burst, problems);
    runtime.pool_buffers =
        r.number("pool_buffers", 512..=4_194_304, runtime.pool_buffers, problems);
    runtime.buffer_bytes = r.number("buffer_bytes", 1600..=16384, runtime.buffer_bytes, problems);
    runtime.ring_descriptors = ring_descriptors(&mut r, runtime.ring_descriptors, problems);
    runtime.tx_buffer = r.number("tx_buffer", 64..=65536, runtime.tx_buffer, problems);
    runtime.handoff = r.number("handoff", 64..=65536, runtime.handoff, problems);
    runtime.fdb_entries = r.number("fdb_entries", 64..=1_048_576, runtime.fdb_entries, problems);
    runtime.copy_up_to = r.number("copy_up_to", 0..=16_384, runtime.copy_up_to, problems);
    runtime.idle_sleep_us = r.number("idle_sleep_us", 0..=100_000, runtime.idle_sleep_us, problems);
    let pool = r.value("pool_buffers").map_or(r.span(), Spanned::span);
    r.finish(problems);
    pool_fits(&runtime, pool, problems);
    runtime
}

pub(super) fn gro(reader: Option<Reader<'_, '_>>, problems: &mut Problems) -> Gro {
    let mut gro = Gro::default();
    let Some(mut r) = reader else { return gro };
    gro.mode = r.word(MODE, MODES, problems).unwrap_or(gro.mode);
    gro.max_segments = r.number("max_segments", 1..=128, gro.max_segments, problems);
    gro.max_hold =
        Duration::from_micros(r.number("max_hold_us", 0..=10_000_u32, 0, problems).into());
    gro.flows = r.number("flows", 64..=65536, gro.flows, problems);
    if let Some(adaptive) = r.flag(ADAPTIVE, problems) {
        gro.adaptive = adaptive.into_inner();
    }
    r.finish(problems);
    gro
}

pub(super) fn control(reader: Option<Reader<'_, '_>>, problems: &mut Problems) -> Control {
    let mut control = Control::default();
    let Some(mut r) = reader else { return control };
    if let Some(socket) = r.text(SOCKET, problems) {
        let path = socket.get_ref();
        if path.is_empty() || path.len() > SOCKET_PATH_BYTES || path.contains('\0') {
            problems.push(
                Problem::new(socket.span(), "`socket` cannot be the path of a socket")
                    .label(format!("needs 1 to {SOCKET_PATH_BYTES} bytes, this has {}", path.len()))
                    .hint(format!("write {} = {}", SOCKET.name, SOCKET.example)),
            );
        }
        control.socket = PathBuf::from(socket.into_inner());
    }
    control.metrics = r
        .parsed::<SocketAddr>(METRICS, "an IP address and a port", problems)
        .map(Spanned::into_inner);
    r.finish(problems);
    control
}

fn lcores(
    value: &Spanned<DeValue<'_>>,
    r: &mut Reader<'_, '_>,
    problems: &mut Problems,
) -> Vec<usize> {
    let list = r.list(LCORES, problems);
    if list.is_empty() && value.get_ref().is_array() {
        problems.push(
            Problem::new(value.span(), "`lcores` names no processor")
                .label("at least one worker is needed")
                .hint(format!("write lcores = {}", LCORES.example)),
        );
    }
    let mut lcores: Vec<Spanned<u32>> = Vec::new();
    for value in list {
        let Some(lcore) = as_number(value, LCORES.name, 0..=LCORE_LAST, problems) else { continue };
        match lcores.iter().find(|earlier| **earlier == lcore) {
            Some(earlier) => problems.push(
                Problem::new(lcore.span(), format!("lcore {} is listed twice", lcore.get_ref()))
                    .label("again here")
                    .related(earlier.span(), "first here")
                    .hint("each lcore runs one worker: remove one of them"),
            ),
            None => lcores.push(lcore),
        }
    }
    lcores.into_iter().map(|lcore| lcore.into_inner() as usize).collect()
}

fn eal_args(r: &mut Reader<'_, '_>, problems: &mut Problems) -> Vec<String> {
    let args = r.texts(EAL_ARGS, problems);
    for arg in args.iter().filter(|arg| arg.get_ref().contains('\0')) {
        problems.push(
            Problem::new(arg.span(), "`eal_args` cannot be passed to DPDK")
                .label("contains a zero byte")
                .hint(format!("write eal_args = {}", EAL_ARGS.example)),
        );
    }
    args.into_iter().map(Spanned::into_inner).collect()
}

/// Rings of most drivers must be a power of two for their vector path (ixgbe: nb_rxd).
fn ring_descriptors(r: &mut Reader<'_, '_>, default: u16, problems: &mut Problems) -> u16 {
    let name = "ring_descriptors";
    let Some(value) = r.value(name) else { return default };
    let Some(count) = as_number(value, name, 64..=4096_u16, problems) else { return default };
    if !count.get_ref().is_power_of_two() {
        problems.push(
            Problem::new(count.span(), format!("`{name}` must be a power of two"))
                .label("not a power of two")
                .hint(format!("write {name} = {}", count.get_ref().next_power_of_two())),
        );
    }
    count.into_inner()
}

/// The buffers' bytes alone must fit the memory; headroom and metadata come on top.
fn pool_fits(runtime: &Runtime, span: core::ops::Range<usize>, problems: &mut Problems) {
    let bytes = u64::from(runtime.pool_buffers) * u64::from(runtime.buffer_bytes);
    let needed_mb = bytes.div_ceil(1 << 20);
    if needed_mb > u64::from(runtime.memory_mb) {
        problems.push(
            Problem::new(span, "the packet pool does not fit the memory")
                .label(format!(
                    "{} buffers of {} bytes need more than {needed_mb} MiB, memory_mb is {}",
                    runtime.pool_buffers, runtime.buffer_bytes, runtime.memory_mb
                ))
                .hint("raise memory_mb, or lower pool_buffers or buffer_bytes"),
        );
    }
}
