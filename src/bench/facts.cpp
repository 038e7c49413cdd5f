#include "bench/facts.h"

#include <fmt/chrono.h>
#include <sys/utsname.h>

#include <charconv>
#include <chrono>
#include <fstream>
#include <span>

#include "base/cpu.h"
#include "base/sha256.h"
#include "base/version.h"

namespace octavo::bench {
namespace {

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string or_unknown(std::string value) { return value.empty() ? "unknown" : value; }

/// A number of kB in /proc/self/status, in bytes.
std::int64_t status_bytes(std::string_view name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name)) continue;
    const std::size_t digit = line.find_first_of("0123456789");
    std::int64_t kilobytes = 0;
    if (digit != std::string::npos)
      std::from_chars(line.data() + digit, line.data() + line.size(), kilobytes);
    return kilobytes * 1024;
  }
  return 0;
}

}  // namespace

Facts facts_of(const Package& package) {
  return facts_of(package.name(), sha256_hex(std::as_bytes(std::span(package.manifest()))));
}

Facts facts_of(const std::string& model, const std::string& package_sha256) {
  const CpuFacts& cpu = cpu_facts();
  const SystemFacts& system = cpu.system;
  utsname kernel{};
  ::uname(&kernel);
  const std::string load = first_line("/proc/loadavg");
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return {
      {"model", model},
      {"package_sha256", package_sha256},
      {"octavo", std::string(kVersion)},
      {"compiler", __VERSION__},
      {"cpu", cpu.brand},
      {"isa", std::string(isa_name(usable_isa()))},
      {"physical_cores", std::to_string(system.physical_cores)},
      {"usable_cpus", std::to_string(system.cpus.size())},
      {"quota_cpus", system.quota_cpus ? fmt::format("{:g}", *system.quota_cpus) : "none"},
      {"governor", or_unknown(first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"))},
      {"huge_pages", or_unknown(system.huge_pages)},
      {"kernel", fmt::format("{} {}", kernel.sysname, kernel.release)},
      {"load_average", or_unknown(load.substr(0, load.find(' ')))},
      {"date", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now))},
  };
}

std::string comment_lines(const Facts& facts) {
  std::string text;
  for (const Fact& fact : facts) text += fmt::format("# {}: {}\n", fact.name, fact.value);
  return text;
}

MemoryUse memory_use() { return {status_bytes("VmRSS:"), status_bytes("VmHWM:")}; }

}  // namespace octavo::bench
