#include "cli/own_libraries.h"

#include <link.h>

#include <algorithm>

#include "base/fail.h"

namespace octavo::cli {

std::filesystem::path own_program() {
  std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe");
  if (program.filename().string().starts_with("ld-")) {
    fail(ErrorCode::unsupported, "a bundle's octavo cannot make bundles: '{}' runs it", program.string());
  }
  return program;
}

std::vector<std::filesystem::path> own_libraries() {
  std::vector<std::filesystem::path> libraries;
  dl_iterate_phdr(
      [](dl_phdr_info* library, std::size_t, void* list) {
        // The program itself has no name, the kernel's own library no file.
        const std::filesystem::path path = library->dlpi_name;
        if (path.is_absolute()) static_cast<std::vector<std::filesystem::path>*>(list)->push_back(path);
        return 0;
      },
      &libraries);
  std::sort(libraries.begin(), libraries.end(),
            [](const auto& a, const auto& b) { return a.filename() < b.filename(); });
  return libraries;
}

}  // namespace octavo::cli
