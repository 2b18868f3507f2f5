//! What can be typed.

use std::path::PathBuf;
use std::sync::LazyLock;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand};
use clap_complete::Shell;
use gateway::control::Topic;

/// A poll-mode UDP gateway on DPDK with software GRO and GSO
#[derive(Parser, Debug)]
#[command(name = "gateway", version = VERSION.as_str(), after_help = EXIT_STATUS)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    /// Run in the foreground until SIGINT or SIGTERM
    #[cfg(feature = "dpdk")]
    Run(RunArgs),
    /// Show the gateway at work on real traffic, every datagram checked
    Demo(DemoArgs),
    /// Validate a configuration file, without touching DPDK
    Check(CheckArgs),
    /// Ask a running gateway
    Show(ShowArgs),
    /// Make a running gateway apply its changed file, whole or not at all
    Reload(ReloadArgs),
    /// Watch a running gateway
    Top(TopArgs),
    /// Write what a port of a running gateway receives and sends as pcapng
    Capture(CaptureArgs),
    /// Look at this machine: hugepages, cores, IOMMU, drivers, interfaces
    Doctor(DoctorArgs),
    /// Print a completion script
    #[command(hide = true)]
    Completions(CompletionsArgs),
    /// Write the manual pages
    #[command(hide = true)]
    Man(ManArgs),
}

#[cfg(feature = "dpdk")]
#[derive(clap::Args, Debug)]
pub(super) struct RunArgs {
    /// Configuration file
    #[arg(short, long, value_name = "FILE")]
    pub(super) config: PathBuf,
}

#[derive(clap::Args, Debug)]
pub(super) struct DemoArgs {
    /// How long traffic flows
    #[arg(long, value_name = "N", default_value_t = gateway::demo::DEFAULT_SECONDS,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(gateway::demo::MAX_SECONDS)))]
    pub(super) seconds: u32,
    /// As JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(clap::Args, Debug)]
pub(super) struct CheckArgs {
    /// Configuration file
    #[arg(short, long, value_name = "FILE")]
    pub(super) config: PathBuf,
    /// Print the file with every default filled in
    #[arg(long)]
    pub(super) show: bool,
}

#[derive(clap::Args, Debug)]
pub(super) struct ShowArgs {
    /// What to show
    #[arg(value_name = "WHAT", value_parser = topic_parser())]
    pub(super) topic: Topic,
    /// As JSON
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) gateway: GatewayArgs,
}

#[derive(clap::Args, Debug)]
pub(super) struct CaptureArgs {
    /// Port of the gateway
    #[arg(short = 'i', long = "port", value_name = "PORT")]
    pub(super) port: String,
    /// File to write; - is stdout, for `| tcpdump -r -`
    #[arg(short, long, value_name = "FILE")]
    pub(super) write: PathBuf,
    /// Also what was dropped under this port, with the reason as a comment
    #[arg(long)]
    pub(super) drops: bool,
    /// End after so many frames
    #[arg(short, long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) count: Option<u64>,
    /// End after so many seconds
    #[arg(long, value_name = "N")]
    pub(super) seconds: Option<u64>,
    /// Control socket of the gateway [default: /run/gateway/gateway.sock]
    #[arg(long, value_name = "PATH", conflicts_with = "config")]
    pub(super) socket: Option<PathBuf>,
    /// Configuration file of the gateway, for its control socket
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

#[derive(clap::Args, Debug)]
pub(super) struct TopArgs {
    /// Print what happens in one interval as text, and end
    #[arg(long)]
    pub(super) once: bool,
    /// Milliseconds between two looks
    #[arg(long, value_name = "MS", default_value_t = 1000,
          value_parser = clap::value_parser!(u64).range(100..=60_000))]
    pub(super) interval_ms: u64,
    #[command(flatten)]
    pub(super) gateway: GatewayArgs,
}

#[derive(clap::Args, Debug)]
pub(super) struct ReloadArgs {
    /// As JSON
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) gateway: GatewayArgs,
}

/// Which gateway is meant.
#[derive(clap::Args, Debug)]
pub(super) struct GatewayArgs {
    /// Control socket of the gateway [default: /run/gateway/gateway.sock]
    #[arg(long, value_name = "PATH", conflicts_with = "config")]
    pub(super) socket: Option<PathBuf>,
    /// Configuration file of the gateway, for its control socket
    #[arg(short, long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

#[derive(clap::Args, Debug)]
pub(super) struct DoctorArgs {
    /// Configuration file: also look at what it needs
    #[arg(short, long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

#[derive(clap::Args, Debug)]
pub(super) struct CompletionsArgs {
    /// For this shell
    pub(super) shell: Shell,
}

#[derive(clap::Args, Debug)]
pub(super) struct ManArgs {
    /// Into this folder
    pub(super) folder: PathBuf,
}

const EXIT_STATUS: &str = "\
Exit status:
  0  clean
  1  usage or configuration
  2  could not start: device, memory, permission
  3  stopped, but the account of datagrams or a pool did not balance";

/// With DPDK, also the version of the one that runs.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let version = env!("CARGO_PKG_VERSION");
    #[cfg(feature = "dpdk")]
    return format!("{version} ({})", gateway::dpdk::version());
    #[cfg(not(feature = "dpdk"))]
    return format!("{version} (without DPDK)");
});

fn topic_parser() -> impl TypedValueParser<Value = Topic> {
    let names = Topic::ALL.iter().map(|topic| topic.name());
    PossibleValuesParser::new(names)
        .try_map(|name| name.parse::<Topic>().map_err(|()| format!("`{name}` cannot be shown")))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn arguments_are_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn every_topic_of_the_contract_can_be_shown() {
        let contract = [
            "ports",
            "workers",
            "gro",
            "drops",
            "fdb",
            "mdb",
            "fib",
            "mfib",
            "neighbors",
            "latency",
            "pools",
            "config",
        ];
        for topic in contract {
            let args = Args::try_parse_from(["gateway", "show", topic, "--json"]).unwrap();
            assert!(
                matches!(args.command, Command::Show(show) if show.topic.name() == topic && show.json)
            );
        }
    }
}
