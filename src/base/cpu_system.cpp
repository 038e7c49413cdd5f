#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>

#include "base/cpu.h"

namespace octavo {
namespace {

namespace fs = std::filesystem;

/// No CPU has a higher number; a bound for lists like "0-4000000000".
constexpr int kMostCpus = 1 << 16;

/// A small file's first 4096 characters without the trailing newline, "" when it cannot be read.
std::string file_text(const fs::path& path) {
  std::ifstream file(path);
  std::string text(4096, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

template <class Number>
std::optional<Number> parse_whole(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "48K", "2M", "1024" in bytes; 0 when damaged.
std::int64_t parse_size(std::string_view text) {
  std::int64_t unit = 1;
  if (text.ends_with('K')) unit = 1024;
  if (text.ends_with('M')) unit = 1024 * 1024;
  if (unit > 1) text.remove_suffix(1);
  const auto count = parse_whole<std::int64_t>(text);
  return count && *count > 0 && *count < (std::int64_t{1} << 40) ? *count * unit : 0;
}

void read_caches(const fs::path& cpu, SystemFacts& facts) {
  for (int i = 0; i < 8; ++i) {
    const fs::path cache = cpu / "cache" / ("index" + std::to_string(i));
    const std::string level = file_text(cache / "level");
    if (file_text(cache / "type") == "Instruction") continue;
    const std::int64_t bytes = parse_size(file_text(cache / "size"));
    if (level == "1") facts.l1d_bytes = bytes;
    if (level == "2") facts.l2_bytes = bytes;
    if (level == "3") facts.l3_bytes = bytes;
  }
}

/// `allowed` with one CPU of each core first. A CPU whose siblings are unknown is a core of its own.
void order_cpus(const fs::path& cpus, std::span<const int> allowed, SystemFacts& facts) {
  std::vector<int> siblings_later;
  std::map<std::string, int> cores;
  for (int cpu : allowed) {
    std::string core = file_text(cpus / ("cpu" + std::to_string(cpu)) / "topology" / "thread_siblings_list");
    if (core.empty()) core = "cpu" + std::to_string(cpu);
    (cores[core]++ == 0 ? facts.cpus : siblings_later).push_back(cpu);
  }
  facts.physical_cores = static_cast<int>(facts.cpus.size());
  facts.cpus.insert(facts.cpus.end(), siblings_later.begin(), siblings_later.end());
}

void read_nodes(const fs::path& nodes, SystemFacts& facts) {
  for (int id : parse_cpu_list(file_text(nodes / "online"))) {
    NumaNode node{id, {}};
    const auto of_node = parse_cpu_list(file_text(nodes / ("node" + std::to_string(id)) / "cpulist"));
    for (int cpu : facts.cpus) {
      if (std::find(of_node.begin(), of_node.end(), cpu) != of_node.end()) node.cpus.push_back(cpu);
    }
    if (!node.cpus.empty()) facts.nodes.push_back(std::move(node));
  }
}

/// The process's place in the cgroup v2 hierarchy: the line "0::/path" of /proc/self/cgroup.
std::string cgroup_path(const std::string& text) {
  const std::size_t line = text.starts_with("0::") ? 0 : text.find("\n0::");
  if (line == std::string::npos) return "";
  const std::size_t begin = text.find("::", line) + 2;
  return text.substr(begin, text.find('\n', begin) - begin);
}

void read_quota(const fs::path& root, SystemFacts& facts) {
  fs::path group = cgroup_path(file_text(root / "proc/self/cgroup"));
  if (group.empty() || group.string().find("..") != std::string::npos) return;
  for (group = group.relative_path();; group = group.parent_path()) {
    const fs::path file = root / "sys/fs/cgroup" / group / "cpu.max";
    const auto cpus = parse_cpu_max(file_text(file));
    if (cpus && (!facts.quota_cpus || *cpus < *facts.quota_cpus)) {
      facts.quota_cpus = cpus;
      facts.quota_from = file.string();
    }
    if (group.empty()) return;
  }
}

/// The word in brackets of "always [madvise] never".
std::string chosen_word(const std::string& text) {
  const std::size_t begin = text.find('[');
  const std::size_t end = text.find(']');
  if (begin == std::string::npos || end == std::string::npos || end < begin) return "";
  return text.substr(begin + 1, end - begin - 1);
}

}  // namespace

std::vector<int> parse_cpu_list(std::string_view text) {
  std::vector<int> cpus;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    const std::size_t dash = part.find('-');
    const auto first = parse_whole<int>(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_whole<int>(part.substr(dash + 1));
    if (!first || !last || *first < 0 || *last < *first || *last >= kMostCpus) return {};
    for (int cpu = *first; cpu <= *last; ++cpu) cpus.push_back(cpu);
  }
  return cpus;
}

std::optional<double> parse_cpu_max(std::string_view text) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const auto quota = parse_whole<std::int64_t>(text.substr(0, space));
  const auto period = parse_whole<std::int64_t>(text.substr(space + 1));
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

SystemFacts read_system_facts(const fs::path& root, std::span<const int> allowed) {
  SystemFacts facts;
  const fs::path cpus = root / "sys/devices/system/cpu";
  if (!allowed.empty()) read_caches(cpus / ("cpu" + std::to_string(allowed.front())), facts);
  order_cpus(cpus, allowed, facts);
  read_nodes(root / "sys/devices/system/node", facts);
  read_quota(root, facts);
  facts.huge_pages = chosen_word(file_text(root / "sys/kernel/mm/transparent_hugepage/enabled"));
  return facts;
}

}  // namespace octavo
