#pragma once
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/isa.h"
#include "bench/instance.h"

namespace octavo::bench {

/// What the threads of one instance can do together at most, measured now and in this process; 0 = unknown.
struct Peaks {
  Isa isa = Isa::generic;
  int threads = 1;
  double int8_ops_per_second = 0;  ///< of the isa's best instructions for 8 bits, on registers
  double f32_ops_per_second = 0;
  double l2_bytes_per_second = 0;      ///< read from half of the L2 cache
  double memory_bytes_per_second = 0;  ///< read from far more than the L3 cache that one may hope for
  std::int64_t l2_bytes = 0;           ///< as large as it is taken to be
};

/// Measures on the CPUs of `place`, all at the same time. Takes some tenths of a second.
Peaks measure_peaks(const Place& place, Isa isa);

/// Operations of 8 bits a second, on registers, of all threads of `places` at the same time: less than so
/// many times one's where two of the CPUs are one core, if only because a host runs both there. 0 = unknown.
double int8_peak(const std::vector<Place>& places, Isa isa);

/// "peaks measured: ...", a line.
std::string text_of(const Peaks& peaks);
nlohmann::ordered_json json_of(const Peaks& peaks);

}  // namespace octavo::bench
