#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "octavo/session.h"

namespace octavo::bench {

/// What a number was measured on, so that it can be traced: names and values in the order of importance.
struct Fact {
  std::string name;
  std::string value;
};
using Facts = std::vector<Fact>;

/// The package (its name and the sha256 of its manifest, which holds the checksums of all its members), this
/// Octavo and its compiler, the CPU, its instruction set, cores, quota, clock governor and huge pages, the
/// system, the load of the machine and the time in UTC.
Facts facts_of(const Package& package);
/// The same for a model of another kind, with what names its bytes.
Facts facts_of(const std::string& model, const std::string& package_sha256);

/// "# name: value" lines.
std::string comment_lines(const Facts& facts);

/// Memory of this process that is in RAM now, and the most it ever was, in bytes; 0 = unknown.
struct MemoryUse {
  std::int64_t now = 0;
  std::int64_t peak = 0;
};
MemoryUse memory_use();

}  // namespace octavo::bench
