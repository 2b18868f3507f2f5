//! The program as a user types it: what it says, where, and how it ends.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

struct Ended {
    status: i32,
    out: String,
    err: String,
}

fn gateway(args: &[&str]) -> Ended {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_gateway")).args(args).output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ended { status: status.code().expect("no signal"), out: text(stdout), err: text(stderr) }
}

fn corpus(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config");
    folder.join(file).to_str().expect("UTF-8").to_owned()
}

#[test]
fn check_says_ok_and_what_the_file_says() {
    let file = corpus("valid/contract.toml");
    let ended = gateway(&["check", "-c", &file]);
    let expected = format!(
        "{file}: ok
  6 ports (3 routed, 3 bridged)
  1 bridge, 2 groups, 3 routes, 2 neighbors, 2 multicast routes, 1 filter
  2 workers on lcore 2, 3; 1024 MiB of hugepages; gro list, up to 64 segments
"
    );
    assert_eq!((ended.status, ended.out, ended.err), (0, expected, String::new()));
}

#[test]
fn check_shows_a_file_that_is_valid_again() {
    let shown = gateway(&["check", "--show", "-c", &corpus("valid/contract.toml")]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shown.toml");
    fs::write(&file, &shown.out).unwrap();
    let again = gateway(&["check", "--show", "-c", file.to_str().unwrap()]);
    assert_eq!((again.status, again.out), (0, shown.out));
}

#[test]
fn a_wrong_file_ends_with_1_and_is_explained_on_stderr() {
    let file = corpus("errors/unknown_keys.toml");
    let ended = gateway(&["check", "-c", &file]);
    assert_eq!((ended.status, ended.out.as_str()), (1, ""));
    assert!(ended.err.contains(&format!(" --> {file}:5:1\n")), "{}", ended.err);
    assert!(ended.err.contains("  | ^^^^^^^^^^^ not a key of [gro]\n"), "{}", ended.err);
    assert!(ended.err.contains("help: did you mean `max_segments`?"), "{}", ended.err);

    let missing = gateway(&["check", "-c", "/nowhere/gateway.toml"]);
    assert_eq!(missing.status, 1);
    assert!(missing.err.contains("cannot read /nowhere/gateway.toml: No such file"));

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("latin1.toml");
    fs::write(&file, b"# a\n# gr\xfc\xdfe\n").unwrap();
    let latin = gateway(&["check", "-c", file.to_str().unwrap()]);
    assert_eq!(latin.status, 1);
    assert!(latin.err.contains("line 2 is not UTF-8"), "{}", latin.err);
}

#[test]
fn usage_errors_end_with_1_and_help_with_0() {
    for args in [&[][..], &["chekc"], &["check"], &["show", "nothing"], &["show", "ports", "-x"]] {
        let ended = gateway(args);
        assert_eq!((ended.status, ended.out.as_str()), (1, ""), "{args:?}");
        let helps = ended.err.contains("Usage: gateway") || ended.err.contains("try '--help'");
        assert!(helps, "{args:?}: {}", ended.err);
    }
    let help = gateway(&["--help"]);
    assert_eq!((help.status, help.err.as_str()), (0, ""));
    assert!(help.out.contains("Exit status:"));
    let version = gateway(&["--version"]);
    assert_eq!(version.status, 0);
    let dpdk = if cfg!(feature = "dpdk") { "(DPDK 2" } else { "(without DPDK)" };
    assert!(version.out.starts_with(&format!("gateway {} {dpdk}", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn show_without_a_gateway_says_where_it_looked() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("gateway.sock");
    let file = folder.path().join("gateway.toml");
    let text = format!(
        "[[port]]\nname = \"p0\"\ndevice = \"net_null0\"\n[control]\nsocket = {socket:?}\n"
    );
    fs::write(&file, text).unwrap();
    for from in [["--socket", socket.to_str().unwrap()], ["-c", file.to_str().unwrap()]] {
        let ended = gateway(&["show", "ports", from[0], from[1]]);
        assert_eq!((ended.status, ended.out.as_str()), (1, ""));
        let expected = format!("error: no gateway answers at {}", socket.display());
        assert!(ended.err.contains(&expected) && ended.err.contains("hint: "), "{}", ended.err);
    }
}

#[test]
fn doctor_names_the_command_that_mends() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.toml");
    let text = "[runtime]\nhugepages = false\n[[port]]\nname = \"p0\"\n\
                device = \"net_af_packet0,iface=gwnothere0\"\n";
    fs::write(&file, text).unwrap();
    let ended = gateway(&["doctor", "-c", file.to_str().unwrap()]);
    assert_eq!(ended.status, 2, "{}", ended.out);
    assert!(ended.out.contains("there is no interface gwnothere0"), "{}", ended.out);
    assert!(ended.out.contains("mend: ip link show"), "{}", ended.out);
    assert_eq!(gateway(&["doctor"]).status, 0);
}

#[test]
fn packages_get_completions_and_manual_pages() {
    for shell in ["bash", "zsh", "fish"] {
        let ended = gateway(&["completions", shell]);
        assert!(ended.status == 0 && ended.out.contains("doctor"), "{shell}");
    }
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(gateway(&["man", folder.path().to_str().unwrap()]).status, 0);
    let page = fs::read_to_string(folder.path().join("gateway-check.1")).unwrap();
    assert!(page.contains(".TH gateway-check 1"), "{page}");
    assert!(folder.path().join("gateway.1").exists());
}
