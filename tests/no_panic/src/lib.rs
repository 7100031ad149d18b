//! The verifier for a machine without an operating system, one symbol for each public function.
//!
//! `scripts/no-panic` links each of them alone. The panic handler calls a function that does not
//! exist: what can reach it does not link.
#![no_std]

/// The address of a function, to be found by the linker.
#[repr(transparent)]
pub struct Function(*const ());

// SAFETY: an address that nobody reads.
unsafe impl Sync for Function {}

/// Names functions for the linker: `symbol = path`.
macro_rules! functions {
    ($($symbol:ident = $function:expr;)*) => {
        $(
            #[allow(non_upper_case_globals)]
            #[unsafe(no_mangle)]
            pub static $symbol: $crate::Function = $crate::Function($function as *const ());
        )*
    };
}

mod functions;
#[cfg(feature = "signatures")]
mod signatures;

unsafe extern "C" {
    safe fn this_function_can_panic() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    this_function_can_panic()
}

#[cfg(feature = "self-test")]
mod self_test {
    fn element(list: &[u8], index: usize) -> u8 {
        list[index]
    }

    functions! { self_test__element = element; }
}
