//! A firmware that verifies the golden receipts and says how deep the stack became: it is painted
//! before each and looked at behind it.
//!
//! Prints lines `name value` by semihosting and ends with success only if each verdict is the
//! documented one.
#![no_std]
#![no_main]

use core::arch::{asm, global_asm};
use core::hint::black_box;
use core::ptr;

include!(concat!(env!("OUT_DIR"), "/golden.rs"));

global_asm!(
    ".section .vectors,\"a\",%progbits",
    ".word stack_end",
    ".word reset",
    ".word fault", // NMI
    ".word fault", // HardFault
);

const PAINT: u8 = 0xa5;
/// What is painted: more than anything here needs.
const DEPTH: usize = 64 << 10;
/// Below the painter's own frame.
const RED_ZONE: usize = 256;

#[unsafe(no_mangle)]
extern "C" fn fault() -> ! {
    write("the firmware faulted\n\0");
    exit(false)
}

#[unsafe(no_mangle)]
extern "C" fn reset() -> ! {
    let ledger = ONE[4..].first_chunk().unwrap();
    let whole: [Case; 10] = [
        ("one event", ONE, 2, ALH_2, 0x5a),
        ("one event, another pin", ONE, 3, ALH_3, 0xcc),
        ("one event, a pin that it contradicts", ONE, 2, ALH_3, 0xf0),
        ("one event, cut", &ONE[..ONE.len() - 1], 2, ALH_2, 0xf0),
        ("an event in two trees", IN_TWO_TREES, 9, ALH_9, 0x5a),
        ("four events", FOUR, 6, ALH_6, 0xaa),
        ("four events, a later pin", FOUR, 9, ALH_9, 0xaa),
        ("four events, an earlier pin", FOUR, 3, ALH_3, 0x96),
        ("another chain before an earlier state", EARLIER_PARTED, 3, ALH_3, 0xf0),
        ("another chain before a later state", LATER_PARTED, 3, ALH_3, 0xf0),
    ];
    let (mut right, whole) = deepest(&whole, ledger, verify);
    say("stack_bytes", whole);
    let alone: [Case; 6] = [
        ("pinned: one event", ONE, 2, ALH_2, 0x5a),
        ("pinned: one event, another pin", ONE, 3, ALH_3, 0xcc),
        ("pinned: one event, a pin that it contradicts", ONE, 2, ALH_3, 0xcc),
        ("pinned: one event, cut", &ONE[..ONE.len() - 1], 2, ALH_2, 0xf0),
        ("pinned: an event in two trees", IN_TWO_TREES, 9, ALH_9, 0x5a),
        ("pinned: four events", FOUR, 6, ALH_6, 0xcc),
    ];
    let (alone_right, alone) = deepest(&alone, ledger, verify_pinned);
    right &= alone_right;
    say("stack_pinned_bytes", alone);
    #[cfg(feature = "signed")]
    {
        let (code, depth) = measure(&mut signature);
        say("Ed25519 signature", depth);
        right &= code == 1;
        say("stack_signed_bytes", depth.max(whole).max(alone));
    }
    if !right {
        write("a verdict is not the documented one\n\0");
    }
    exit(right)
}

/// A name, a receipt, the pin under which it is verified, and the verdict's code.
type Case = (&'static str, &'static [u8], u64, &'static [u8; 32], u8);
type Verify = fn(&[u8], &[u8; 32], u64, &[u8; 32]) -> u8;

/// Whether all verdicts are the documented ones, and how deep the deepest went.
fn deepest(cases: &[Case], ledger: &[u8; 32], verify: Verify) -> (bool, usize) {
    let (mut right, mut deepest) = (true, 0);
    for &(name, receipt, tx, alh, expected) in cases {
        let (code, depth) = measure(&mut || verify(receipt, ledger, tx, alh));
        say(name, depth);
        right &= code == expected;
        deepest = deepest.max(depth);
    }
    (right, deepest)
}

#[cfg(not(feature = "signed"))]
fn verify(receipt: &[u8], ledger: &[u8; 32], tx: u64, alh: &[u8; 32]) -> u8 {
    // SAFETY: pointer and length are of one slice.
    unsafe { footprint::verify_receipt(receipt.as_ptr(), receipt.len(), ledger, tx, alh) }
}

fn verify_pinned(receipt: &[u8], ledger: &[u8; 32], tx: u64, alh: &[u8; 32]) -> u8 {
    // SAFETY: pointer and length are of one slice.
    unsafe { footprint::verify_pinned_receipt(receipt.as_ptr(), receipt.len(), ledger, tx, alh) }
}

#[cfg(feature = "signed")]
fn verify(receipt: &[u8], ledger: &[u8; 32], tx: u64, alh: &[u8; 32]) -> u8 {
    let name = "example.com/log";
    let (at, len, key) = (receipt.as_ptr(), receipt.len(), &rfc8032::KEY);
    // SAFETY: pointers and lengths are of slices.
    unsafe {
        footprint::verify_signed_receipt(at, len, ledger, tx, alh, name.as_ptr(), name.len(), key)
    }
}

#[cfg(feature = "signed")]
fn signature() -> u8 {
    let key = counterfoil_core::Ed25519Key::from_bytes(&rfc8032::KEY);
    u8::from(key.is_ok_and(|key| key.verify(&[&[0x72]], &rfc8032::SIGNATURE).is_ok()))
}

/// RFC 8032 §7.1, test 2: over the one byte 72.
#[cfg(feature = "signed")]
mod rfc8032 {
    pub const KEY: [u8; 32] =
        hex(b"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    pub const SIGNATURE: [u8; 64] =
        hex(b"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
          085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");

    const fn hex<const N: usize>(digits: &[u8]) -> [u8; N] {
        const fn value(digit: u8) -> u8 {
            if digit < b'a' { digit - b'0' } else { digit - b'a' + 10 }
        }
        assert!(digits.len() == 2 * N);
        let mut bytes = [0; N];
        let mut at = 0;
        while at < N {
            bytes[at] = value(digits[2 * at]) << 4 | value(digits[2 * at + 1]);
            at += 1;
        }
        bytes
    }
}

/// Calls it on a painted stack: what it gave, and how many bytes below this frame it used.
#[inline(never)]
fn measure(call: &mut dyn FnMut() -> u8) -> (u8, usize) {
    let here: usize;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, sp", out(reg) here) };
    let (lowest, top) = (here - DEPTH, here - RED_ZONE);
    for at in lowest..top {
        // SAFETY: RAM below the stack pointer that nothing uses (256 KiB, and this frame is near its end).
        unsafe { ptr::write_volatile(at as *mut u8, PAINT) };
    }
    let code = black_box(call());
    // SAFETY: as above.
    let used = (lowest..top).find(|&at| unsafe { ptr::read_volatile(at as *const u8) } != PAINT);
    (code, used.map_or(0, |used| here - used))
}

fn say(name: &str, mut number: usize) {
    let mut line = [0; 80];
    let mut at = line.len() - 2;
    line[at] = b'\n';
    loop {
        at -= 1;
        line[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    at -= 1;
    line[at] = b' ';
    at -= name.len();
    line[at..at + name.len()].copy_from_slice(name.as_bytes());
    write(core::str::from_utf8(&line[at..]).unwrap_or("?\0"));
}

/// Semihosting's SYS_WRITE0: a text that ends with a zero.
fn write(text: &str) {
    // SAFETY: the debugger reads up to the zero.
    unsafe { semihost(0x04, text.as_ptr() as usize) };
}

/// SYS_EXIT with ADP_Stopped_ApplicationExit, or ADP_Stopped_RunTimeErrorUnknown.
fn exit(well: bool) -> ! {
    // SAFETY: ends the machine.
    unsafe { semihost(0x18, if well { 0x20026 } else { 0x20023 }) };
    loop {}
}

unsafe fn semihost(operation: usize, argument: usize) {
    // SAFETY: the caller's.
    unsafe { asm!("bkpt 0xab", inout("r0") operation => _, in("r1") argument, options(nostack)) };
}
