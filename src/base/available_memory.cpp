#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
#include <string>

#include "base/memory_region.h"

namespace octavo {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::optional<std::int64_t> number_in(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  std::int64_t value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc()) return std::nullopt;
  return value;
}

/// The line "MemAvailable: N kB".
std::int64_t machine_memory(const std::string& meminfo) {
  constexpr std::string_view kName = "MemAvailable:";
  const std::size_t line = meminfo.find(kName);
  if (line == std::string::npos) return kUnlimited;
  const auto kilobytes = number_in(std::string_view(meminfo).substr(line + kName.size()));
  return kilobytes && *kilobytes < kUnlimited / 1024 ? *kilobytes * 1024 : kUnlimited;
}

/// What one group's limit leaves; cached files count as used but can be dropped.
std::int64_t group_memory(const fs::path& group) {
  const auto most = number_in(text_of(group / "memory.max")),
             used = number_in(text_of(group / "memory.current"));
  if (!most || !used) return kUnlimited;
  const std::string facts = text_of(group / "memory.stat");
  const std::size_t line = facts.find("\nfile ");
  const std::int64_t cached =
      line == std::string::npos ? 0 : number_in(std::string_view(facts).substr(line + 6)).value_or(0);
  return std::max<std::int64_t>(*most - *used + cached, 0);
}

}  // namespace

std::int64_t available_memory(const fs::path& root) {
  std::int64_t available = machine_memory(text_of(root / "proc/meminfo"));
  const std::string groups = text_of(root / "proc/self/cgroup");
  const std::size_t line = groups.starts_with("0::") ? 0 : groups.find("\n0::");
  if (line == std::string::npos) return available;
  const std::size_t begin = groups.find("::", line) + 2;
  fs::path group = fs::path(groups.substr(begin, groups.find('\n', begin) - begin)).relative_path();
  if (group.string().find("..") != std::string::npos) return available;
  for (;; group = group.parent_path()) {
    available = std::min(available, group_memory(root / "sys/fs/cgroup" / group));
    if (group.empty()) return available;
  }
}

}  // namespace octavo
