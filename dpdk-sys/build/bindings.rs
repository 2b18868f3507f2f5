//! bindgen over the allow-list: whole DPDK headers take long and hold types it cannot express.

use std::env;
use std::path::PathBuf;

use bindgen::callbacks::{IntKind, ParseCallbacks};

const FUNCTIONS: &[&str] = &[
    "sys_.*",
    "rte_eal_(init|cleanup)",
    "rte_version",
    "rte_strerror",
    "rte_thread_(register|unregister)",
    "rte_openlog_stream",
    "rte_log_set_(global_level|level_pattern)",
    "rte_get_tsc_hz",
    "rte_socket_id",
    "rte_pktmbuf_free_bulk",
    "rte_mbuf_check",
    "rte_mempool_(avail_count|in_use_count|lookup|obj_iter)",
    "rte_dev_(probe|remove)",
    "rte_eth_dev_(configure|start|stop|close|info_get|socket_id|set_mtu|get_port_by_name)",
    "rte_eth_dev_(count_avail|default_mac_addr_set|adjust_nb_rx_tx_desc|is_valid_port)",
    "rte_eth_dev_rss_reta_update",
    "rte_eth_(rx|tx)_queue_setup",
    "rte_eth_(rx|tx)_burst_mode_get",
    "rte_eth_tx_done_cleanup",
    "rte_eth_(promiscuous|allmulticast)_(enable|disable|get)",
    "rte_eth_macaddr_get",
    "rte_eth_stats_(get|reset)",
    "rte_fib_(create|free|add|delete|lookup_bulk)",
    "rte_fib6_(create|free|add|delete|lookup_bulk)",
];

const VARIABLES: &[&str] = &[
    "RTE_MBUF_F_.*",
    "RTE_PKTMBUF_HEADROOM",
    "RTE_MBUF_DEFAULT_DATAROOM",
    "RTE_ETH_(RX|TX)_OFFLOAD_.*",
    "RTE_ETH_RSS_(IP|UDP|IPV4|IPV6|NONFRAG_IPV4_UDP|NONFRAG_IPV6_UDP|FRAG_IPV4|FRAG_IPV6)",
    "RTE_ETH_RETA_GROUP_SIZE",
    "RTE_ETH_SPEED_NUM_UNKNOWN",
    "RTE_LOG_(EMERG|ALERT|CRIT|ERR|WARNING|NOTICE|INFO|DEBUG)",
    "RTE_VERSION",
    // linux/if_packet.h, linux/filter.h: net_af_packet's sockets, which offer fewer arguments.
    "PACKET_.*",
    "TP_STATUS_(USER|CSUMNOTREADY)",
    "BPF_(LD|JMP|ALU|RET|MISC|W|H|B|ABS|IMM|JEQ|JA|XOR|MUL|RSH|K|X|A|TAX)",
    "SKF_(AD_OFF|AD_PKTTYPE|AD_PROTOCOL|NET_OFF)",
];

/// Types reached from no function, or only as a pointer from the shim.
const TYPES: &[&str] = &[
    "dpdk_sys_.*",
    "rte_eth_rss_reta_entry64",
    "rte_eth_rx_mq_mode",
    "tpacket_(req|stats|versions)",
    "packet_mreq",
    "sock_(filter|fprog)",
];

pub(crate) fn generate(cflags: &[String]) {
    let mut builder = bindgen::Builder::default()
        .header("csrc/shim.h")
        .clang_args(cflags)
        .clang_arg("-Icsrc")
        .use_core()
        .default_enum_style(bindgen::EnumVariation::Consts)
        .prepend_enum_name(false)
        .clang_macro_fallback()
        .clang_macro_fallback_build_dir(out_dir())
        .parse_callbacks(Box::new(WideMacros))
        // Reached by offset only.
        .opaque_type("rte_mbuf")
        .opaque_type("rte_mempool")
        .derive_debug(false)
        .layout_tests(true)
        .generate_comments(false);
    for name in FUNCTIONS {
        builder = builder.allowlist_function(name);
    }
    for name in VARIABLES {
        builder = builder.allowlist_var(name);
    }
    for name in TYPES {
        builder = builder.allowlist_type(name);
    }
    let bindings = builder.generate().expect("bindgen understands the DPDK headers");
    bindings.write_to_file(out_dir().join("bindings.rs")).expect("OUT_DIR is writable");
}

/// Offload and flag macros are bits of 64-bit words; bindgen would take the narrowest type.
#[derive(Debug)]
struct WideMacros;

impl ParseCallbacks for WideMacros {
    fn int_macro(&self, name: &str, _value: i64) -> Option<IntKind> {
        let word = ["RTE_MBUF_F_", "RTE_ETH_RX_OFFLOAD_", "RTE_ETH_TX_OFFLOAD_", "RTE_ETH_RSS_"];
        word.iter().any(|prefix| name.starts_with(prefix)).then_some(IntKind::U64)
    }
}

fn out_dir() -> PathBuf {
    PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"))
}
