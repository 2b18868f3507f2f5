use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use anyhow::Context;

/// What addresses of a process are.
pub struct Places {
    mappings: Vec<Mapping>,
    /// The executable's sources by instruction.
    sources: HashMap<u64, String>,
    executable: String,
}

struct Mapping {
    range: Range<u64>,
    offset: u64,
    name: String,
}

impl Places {
    /// Of this process now.
    ///
    /// # Errors
    /// When it has ended.
    pub fn of(process: u32) -> anyhow::Result<Self> {
        let text = fs::read_to_string(format!("/proc/{process}/maps"))?;
        let mappings = text.lines().map(Mapping::parse).collect::<Option<_>>().context("maps")?;
        let executable = fs::read_link(format!("/proc/{process}/exe"))?;
        let executable = executable.to_string_lossy().into_owned();
        Ok(Self { mappings, sources: HashMap::new(), executable })
    }

    /// Where data lies: the name of its mapping and, of one without, its size.
    pub fn region(&self, address: u64) -> String {
        match self.mapping(address) {
            Some(Mapping { range, name, .. }) if name.is_empty() => {
                format!("{} MiB without a name", (range.end - range.start) >> 20)
            }
            Some(mapping) => file_name(&mapping.name),
            None => "nowhere".into(),
        }
    }

    /// Asks binutils for the sources of the executable's instructions, all at once.
    ///
    /// # Errors
    /// Without addr2line.
    pub fn learn(&mut self, instructions: &BTreeSet<u64>) -> anyhow::Result<()> {
        let Some(base) = self.mappings.iter().find(|m| m.name == self.executable && m.offset == 0)
        else {
            return Ok(());
        };
        let base = base.range.start;
        let ours: Vec<u64> =
            instructions.iter().copied().filter(|&at| self.is_executable(at)).collect();
        for some in ours.chunks(1000) {
            let output = Command::new("addr2line")
                .args(["-a", "-i", "-e", &self.executable])
                .args(some.iter().map(|at| format!("{:x}", at - base)))
                .output()
                .context("addr2line (binutils)")?;
            let text = String::from_utf8_lossy(&output.stdout);
            let frames = text.split("0x").skip(1);
            self.sources.extend(some.iter().copied().zip(frames.map(source)));
        }
        Ok(())
    }

    /// Whether an instruction is the executable's.
    pub fn is_executable(&self, instruction: u64) -> bool {
        self.mapping(instruction).is_some_and(|mapping| mapping.name == self.executable)
    }

    /// What an instruction belongs to: file and line, or the library.
    pub fn source(&self, instruction: u64) -> String {
        let library = || self.mapping(instruction).map_or("?".into(), |m| file_name(&m.name));
        self.sources.get(&instruction).cloned().unwrap_or_else(library)
    }

    fn mapping(&self, address: u64) -> Option<&Mapping> {
        self.mappings.iter().find(|mapping| mapping.range.contains(&address))
    }
}

impl Mapping {
    /// proc_pid_maps(5)
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split_whitespace();
        let (start, end) = fields.next()?.split_once('-')?;
        let range = u64::from_str_radix(start, 16).ok()?..u64::from_str_radix(end, 16).ok()?;
        let offset = u64::from_str_radix(fields.nth(1)?, 16).ok()?;
        let name = fields.nth(2).unwrap_or_default().to_owned();
        Some(Self { range, offset, name })
    }
}

fn file_name(path: &str) -> String {
    let name = Path::new(path).file_name().map_or(path.into(), |name| name.to_string_lossy());
    name.split(".so").next().unwrap_or_default().to_owned()
}

/// Of an instruction's frames, the inner ones first: the first of the gateway's own, else the first.
fn source(frames: &str) -> String {
    let places: Vec<_> = frames.lines().skip(1).collect();
    let own = places.iter().find_map(|place| place.split_once("/gateway/src/"));
    let text = own.map_or(places.first().copied().unwrap_or("?"), |(_, rest)| rest);
    text.split(" (").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_has_a_name_or_none() {
        let line = "7f00-8000 r-xp 00001000 08:01 42    /usr/lib/librte_ring.so.23";
        let mapping = Mapping::parse(line).expect("a mapping");
        assert_eq!((mapping.range, mapping.offset), (0x7f00..0x8000, 0x1000));
        assert_eq!(file_name(&mapping.name), "librte_ring");
        let mapping = Mapping::parse("1000-2000 rw-p 00000000 00:00 0").expect("a mapping");
        assert!(mapping.name.is_empty());
    }

    #[test]
    fn the_innermost_of_the_gateways_own_frames_counts() {
        let frames = "0000000000012345\n/rustc/abc/library/core/src/ptr/mod.rs:7\n\
            /x/gateway/src/egress/port.rs:81 (discriminator 2)\n/x/gateway/src/worker/path.rs:9\n";
        assert_eq!(source(frames), "egress/port.rs:81");
        assert_eq!(source("000001\n/rustc/abc/core.rs:7\n"), "/rustc/abc/core.rs:7");
        assert_eq!(source("000001\n??:0\n"), "??:0");
    }
}
