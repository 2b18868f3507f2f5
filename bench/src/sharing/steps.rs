use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;

use anyhow::{Context, ensure};
use iced_x86::{Decoder, DecoderOptions, Instruction, InstructionInfoFactory};
use iced_x86::{OpAccess, Register, UsedMemory};
use nix::libc::user_regs_struct;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::ptrace;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::{Access, Lines};

/// The longest instruction (Intel SDM volume 2, 2.3.11).
const LONGEST: usize = 15;

/// A process that is stopped until this is dropped, and left on one CPU; its caller, who alone may
/// step its threads, is on that CPU too.
pub struct Stepper {
    threads: Vec<Pid>,
    /// Everybody else of the process, who is not to wonder what the stepped threads do.
    others: Vec<Pid>,
    memory: File,
    known: HashMap<u64, Known>,
    /// Where the caller ran before.
    own_cpus: CpuSet,
}

/// A decoded instruction that touches memory or not.
struct Known {
    repeats: bool,
    touched: Vec<UsedMemory>,
}

impl Stepper {
    /// Stops all threads of a process, to step through some.
    ///
    /// # Errors
    /// Without the right to (ptrace(2)), or when the process is ending.
    pub fn stop(process: u32, stepped: &[u32]) -> anyhow::Result<Self> {
        let path = format!("/proc/{process}/mem");
        let own_cpus = sched_getaffinity(Pid::from_raw(0))?;
        let cpu = last_of(&own_cpus)?;
        let mut stepper = Self {
            threads: stepped.iter().map(|&id| Pid::from_raw(id as i32)).collect(),
            others: Vec::new(),
            memory: File::open(&path).context(path)?,
            known: HashMap::new(),
            own_cpus,
        };
        // A step is two switches from thread to thread; between CPUs it would be two interrupts, too.
        sched_setaffinity(Pid::from_raw(0), &cpu)?;
        for entry in std::fs::read_dir(format!("/proc/{process}/task"))? {
            let name = entry?.file_name();
            let thread = Pid::from_raw(name.to_string_lossy().parse()?);
            halt(thread).with_context(|| format!("thread {thread}"))?;
            sched_setaffinity(thread, &cpu)?;
            if !stepper.threads.contains(&thread) {
                stepper.others.push(thread);
            }
        }
        Ok(stepper)
    }

    /// Steps through so many instructions of each thread, `turn` of them at a time.
    ///
    /// # Errors
    /// When a thread ends, or executes what cannot be decoded.
    pub fn run(&mut self, instructions: u64, turn: u64, lines: &mut Lines) -> anyhow::Result<()> {
        for _ in 0..instructions.div_ceil(turn) {
            for thread in 0..self.threads.len() {
                for _ in 0..turn {
                    self.step(thread, lines)?;
                }
            }
        }
        Ok(())
    }

    fn step(&mut self, thread: usize, lines: &mut Lines) -> anyhow::Result<()> {
        let id = self.threads[thread];
        let registers = ptrace::getregs(id)?;
        if !self.known.contains_key(&registers.rip) {
            let known = self.decode(registers.rip)?;
            self.known.insert(registers.rip, known);
        }
        let known = &self.known[&registers.rip];
        // A repeated instruction traps after each time; with a count of zero it does nothing.
        if !known.repeats || registers.rcx != 0 {
            for memory in &known.touched {
                let Some(address) = memory.virtual_address(0, |r, _, _| value(&registers, r))
                else {
                    continue; // a gather, of which there is none in what this is for
                };
                let (by, bytes) = (registers.rip, memory.memory_size().size() as u64);
                lines.note(Access { thread, by, address, bytes, stored: stores(memory.access()) });
            }
        }
        ptrace::step(id, None)?;
        await_stop(id)
    }

    fn decode(&self, at: u64) -> anyhow::Result<Known> {
        let mut bytes = [0; LONGEST];
        let read =
            self.memory.read_at(&mut bytes, at).with_context(|| format!("text at {at:#x}"))?;
        let mut decoder = Decoder::with_ip(64, &bytes[..read], at, DecoderOptions::NONE);
        let instruction: Instruction = decoder.decode();
        ensure!(!instruction.is_invalid(), "no instruction at {at:#x}: {bytes:x?}");
        let mut factory = InstructionInfoFactory::new();
        let touched = factory.info(&instruction).used_memory().iter();
        let touched = touched.filter(|memory| memory.access() != OpAccess::NoMemAccess);
        Ok(Known {
            repeats: instruction.has_rep_prefix() || instruction.has_repne_prefix(),
            touched: touched.copied().collect(),
        })
    }
}

impl Drop for Stepper {
    fn drop(&mut self) {
        for &thread in self.threads.iter().chain(&self.others) {
            // It may have ended.
            let _ = ptrace::detach(thread, None);
        }
        let _ = sched_setaffinity(Pid::from_raw(0), &self.own_cpus);
    }
}

fn last_of(cpus: &CpuSet) -> nix::Result<CpuSet> {
    let mut last = CpuSet::new();
    let number = (0..CpuSet::count()).rev().find(|&cpu| cpus.is_set(cpu) == Ok(true));
    last.set(number.unwrap_or_default())?;
    Ok(last)
}

fn halt(thread: Pid) -> anyhow::Result<()> {
    ptrace::seize(thread, ptrace::Options::empty())?;
    ptrace::interrupt(thread)?;
    await_stop(thread)
}

fn await_stop(thread: Pid) -> anyhow::Result<()> {
    let status = waitpid(thread, Some(WaitPidFlag::__WALL))?;
    let stopped = matches!(
        status,
        WaitStatus::Stopped(_, Signal::SIGTRAP) | WaitStatus::PtraceEvent(_, Signal::SIGTRAP, _)
    );
    ensure!(stopped, "it did not stop: {status:?}");
    Ok(())
}

fn stores(access: OpAccess) -> bool {
    use OpAccess::{CondWrite, ReadCondWrite, ReadWrite, Write};
    matches!(access, Write | CondWrite | ReadWrite | ReadCondWrite)
}

/// Of the registers that addresses are made of.
fn value(registers: &user_regs_struct, register: Register) -> Option<u64> {
    let whole = match register.full_register() {
        Register::RAX => registers.rax,
        Register::RBX => registers.rbx,
        Register::RCX => registers.rcx,
        Register::RDX => registers.rdx,
        Register::RSI => registers.rsi,
        Register::RDI => registers.rdi,
        Register::RBP => registers.rbp,
        Register::RSP => registers.rsp,
        Register::R8 => registers.r8,
        Register::R9 => registers.r9,
        Register::R10 => registers.r10,
        Register::R11 => registers.r11,
        Register::R12 => registers.r12,
        Register::R13 => registers.r13,
        Register::R14 => registers.r14,
        Register::R15 => registers.r15,
        Register::FS => registers.fs_base,
        Register::GS => registers.gs_base,
        // In long mode the others begin at 0.
        Register::ES | Register::CS | Register::SS | Register::DS => 0,
        _ => return None,
    };
    Some(if register.size() == 4 { whole & 0xffff_ffff } else { whole })
}
