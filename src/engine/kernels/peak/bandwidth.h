#pragma once
#include <cstddef>
#include <cstdint>

#include "base/isa.h"

namespace octavo {

/// Bytes a second that this thread reads from `bytes` of `memory`, again and again: the best of a few passes
/// with the widest loads of `isa`. How large the memory is decides which cache answers.
double read_bytes_per_second(Isa isa, const std::byte* memory, std::int64_t bytes);

/// f32 operations (a multiplication and an addition each) a second of one core on registers alone; 0 for isas
/// without a loop.
double peak_f32_ops_per_second(Isa isa);

// The loops, a file for each isa. `read_loop`: reads the memory once, in blocks of 512 bytes, and returns
// something made of all of it. `f32_loop`: the operations done.
std::uint64_t read_loop_avx512(const std::byte* memory, std::int64_t blocks);
std::uint64_t read_loop_avx2(const std::byte* memory, std::int64_t blocks);
std::int64_t f32_loop_avx512(std::int64_t rounds);
std::int64_t f32_loop_avx2(std::int64_t rounds);

}  // namespace octavo
