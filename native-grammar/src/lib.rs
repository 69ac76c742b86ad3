//! llguidance behind a C interface, for WebAssembly. Handles are addresses of boxed values; 0 means that a call failed,
//! and `error_text` has the reason. A panic traps after its message has been stored: the caller then throws the instance
//! away. One thread calls, so the texts live in plain cells.

use std::cell::RefCell;
use std::sync::{Arc, Once};

use llguidance::api::{ParserLimits, TopLevelGrammar};
use llguidance::earley::SlicedBiasComputer;
use llguidance::toktrie::{ApproximateTokEnv, InferenceCapabilities, TokEnv, TokRxInfo, TokTrie};
use llguidance::{Matcher, ParserFactory};

thread_local! {
    /// What `text` points to: the reason of the last failure, warnings, or forced bytes.
    static TEXT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

fn set_text(text: impl AsRef<[u8]>) {
    TEXT.with_borrow_mut(|held| {
        held.clear();
        held.extend_from_slice(text.as_ref());
    });
}

/// llguidance's own hook would keep a message for a `catch_unwind` that cannot happen here.
fn keep_panic_messages() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = llguidance::panic_utils::catch_unwind(|| Ok(()));
        std::panic::set_hook(Box::new(|info| set_text(format!("panic: {info}"))));
    });
}

#[unsafe(no_mangle)]
pub extern "C" fn text_address() -> *const u8 {
    TEXT.with_borrow(|text| text.as_ptr())
}

#[unsafe(no_mangle)]
pub extern "C" fn text_length() -> usize {
    TEXT.with_borrow(|text| text.len())
}

#[unsafe(no_mangle)]
pub extern "C" fn allocate(bytes: usize) -> *mut u8 {
    let mut memory = Vec::<u64>::with_capacity(bytes.div_ceil(8).max(1));
    let address = memory.as_mut_ptr();
    std::mem::forget(memory);
    address.cast()
}

/// # Safety
/// `address` comes from `allocate(bytes)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn release(address: *mut u8, bytes: usize) {
    drop(unsafe { Vec::<u64>::from_raw_parts(address.cast(), 0, bytes.div_ceil(8).max(1)) });
}

/// What one vocabulary needs; grammars are compiled against it.
pub struct Vocabulary {
    factory: ParserFactory,
}

/// # Safety
/// `lengths`: u32 [tokens]; `bytes`: all tokens, one after the other; `ends`: u32 [end_count], ids that end a text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn new_vocabulary(
    lengths: *const u32,
    tokens: usize,
    bytes: *const u8,
    ends: *const u32,
    end_count: usize,
) -> *mut Vocabulary {
    keep_panic_messages();
    let lengths = unsafe { std::slice::from_raw_parts(lengths, tokens) };
    let total = lengths.iter().map(|&n| n as usize).sum();
    let mut rest = unsafe { std::slice::from_raw_parts(bytes, total) };
    let ends = unsafe { std::slice::from_raw_parts(ends, end_count) };
    let mut words = Vec::with_capacity(tokens);
    for &length in lengths {
        let (word, others) = rest.split_at(length as usize);
        words.push(word.to_vec());
        rest = others;
    }
    let trie = TokTrie::from(&TokRxInfo::new(tokens as u32, ends[0]), &words).with_eos_tokens(ends);
    let env: TokEnv = Arc::new(ApproximateTokEnv::new(trie));
    let caps = InferenceCapabilities::default();
    match ParserFactory::new(&env, caps, &SlicedBiasComputer::general_slices()) {
        Ok(mut factory) => {
            factory.quiet();
            *factory.limits_mut() = ParserLimits {
                // An object with so many properties has a row of several items for each of them.
                max_items_in_row: 20_000,
                step_max_items: 200_000,
                max_lexer_states: 100_000,
                verbose_errors: false,
                ..ParserLimits::default()
            };
            Box::into_raw(Box::new(Vocabulary { factory }))
        }
        Err(error) => {
            set_text(format!("{error:#}"));
            std::ptr::null_mut()
        }
    }
}

/// Compiles a grammar; the result is its first matcher, which `clone_matcher` copies. `kind`: 0 Lark, 1 JSON schema,
/// 2 regular expression. Warnings are left as the text.
///
/// # Safety
/// `vocabulary` is one of `new_vocabulary`; `source`: UTF-8 [length].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn new_matcher(
    vocabulary: *mut Vocabulary,
    kind: u32,
    source: *const u8,
    length: usize,
) -> *mut Matcher {
    let vocabulary = unsafe { &*vocabulary };
    let source = unsafe { std::slice::from_raw_parts(source, length) };
    let tag = ["lark", "json_schema", "regex"][kind as usize];
    let compiled = std::str::from_utf8(source)
        .map_err(Into::into)
        .and_then(|source| TopLevelGrammar::from_tagged_str(tag, source))
        .and_then(|grammar| vocabulary.factory.create_parser(grammar));
    match compiled {
        Ok(parser) => {
            let mut matcher = Matcher::new(Ok(parser));
            if let Some(error) = matcher.get_error() {
                set_text(error);
                return std::ptr::null_mut();
            }
            set_text(matcher.grammar_warnings().join("\n"));
            Box::into_raw(Box::new(matcher))
        }
        Err(error) => {
            set_text(format!("{error:#}"));
            std::ptr::null_mut()
        }
    }
}

/// # Safety
/// `matcher` is a live matcher, here and below.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clone_matcher(matcher: *mut Matcher) -> *mut Matcher {
    Box::into_raw(Box::new(unsafe { &*matcher }.clone()))
}

/// # Safety
/// See `clone_matcher`; it is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free_matcher(matcher: *mut Matcher) {
    drop(unsafe { Box::from_raw(matcher) });
}

fn number<T>(result: Result<T, impl std::fmt::Display>, map: impl FnOnce(T) -> i32) -> i32 {
    match result {
        Ok(value) => map(value),
        Err(error) => {
            set_text(error.to_string());
            -1
        }
    }
}

/// Writes one bit per id, the lowest id in the lowest bit. Only the ids that end a text once the grammar is complete.
/// Returns 0, or -1 on failure.
///
/// # Safety
/// `into`: u32 [words].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn compute_mask(matcher: *mut Matcher, into: *mut u32, words: usize) -> i32 {
    let into = unsafe { std::slice::from_raw_parts_mut(into, words) };
    number(unsafe { &mut *matcher }.compute_mask_or_eos(), |mask| {
        let mask = mask.as_slice();
        let length = mask.len().min(words);
        into[..length].copy_from_slice(&mask[..length]);
        into[length..].fill(0);
        0
    })
}

/// Advances over the ids that are allowed, up to the first that is not. Returns how many, or -1.
///
/// # Safety
/// `ids`: u32 [count].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn accept(matcher: *mut Matcher, ids: *const u32, count: usize) -> i32 {
    let ids = unsafe { std::slice::from_raw_parts(ids, count) };
    number(unsafe { &mut *matcher }.try_consume_tokens(ids), |n| n as i32)
}

/// How many of the ids are allowed one after the other, without advancing. -1 on failure.
///
/// # Safety
/// `ids`: u32 [count].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn valid_prefix(matcher: *mut Matcher, ids: *const u32, count: usize) -> i32 {
    let ids = unsafe { std::slice::from_raw_parts(ids, count) };
    number(unsafe { &mut *matcher }.validate_tokens(ids), |n| n as i32)
}

/// # Safety
/// See `clone_matcher`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rollback(matcher: *mut Matcher, count: usize) -> i32 {
    number(unsafe { &mut *matcher }.rollback(count), |()| 0)
}

/// Bit 0: the text may end here. Bit 1: it has to (or has) ended. -1 on failure.
///
/// # Safety
/// See `clone_matcher`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn state(matcher: *mut Matcher) -> i32 {
    let matcher = unsafe { &mut *matcher };
    if let Some(error) = matcher.get_error() {
        set_text(error);
        return -1;
    }
    let stopped = matcher.is_stopped();
    number(matcher.is_accepting(), |accepting| i32::from(accepting) | i32::from(stopped) << 1)
}

/// Leaves the bytes that have to come next as the text.
///
/// # Safety
/// See `clone_matcher`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn forced(matcher: *mut Matcher) {
    let bytes = unsafe { &mut *matcher }.compute_ff_bytes();
    set_text(bytes);
}
