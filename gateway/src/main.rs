//! `gateway`: from arguments to an exit status.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main().into()
}
