#include "compiler/import/dlrm/source.h"

#include <algorithm>
#include <array>
#include <fstream>

#include "base/fail.h"

namespace octavo {
namespace {

bool is_zip(const std::filesystem::path& path) {
  constexpr std::array<char, 4> kMagic{'P', 'K', 3, 4};
  std::array<char, 4> start{};
  std::ifstream(path, std::ios::binary).read(start.data(), start.size());
  return start == kMagic;
}

DlrmSource open_any(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    fail(ErrorCode::io, "cannot open: {}", error ? error.message() : "no such file or folder");
  }
  if (std::filesystem::is_directory(status)) {
    return is_package_folder(path) ? open_dlrm_package_source(path) : open_dlrm_parameters(path);
  }
  if (is_zip(path)) return open_dlrm_checkpoint(path);
  if (path.extension() == ".onnx") return open_dlrm_onnx(path);
  fail(ErrorCode::invalid_model, "neither a checkpoint (torch.save's ZIP form) nor named .onnx");
}

}  // namespace

DlrmSource open_dlrm_source(const std::filesystem::path& path) {
  try {
    return open_any(path);
  } catch (const Error& e) {
    throw e.within(path.string());
  }
}

}  // namespace octavo
