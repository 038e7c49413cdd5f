#pragma once
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "octavo/tensor.h"

namespace octavo {

/// NumPy's .npz: a ZIP whose member NAME.npy holds the array NAME, stored or deflated. One thread at a time.
class NpzReader {
 public:
  /// Error(io) when the file cannot be opened, Error(invalid_model) when it is no ZIP.
  explicit NpzReader(const std::filesystem::path& path);
  /// The same of a file in memory, which must outlive the reader; errors call it `name`.
  NpzReader(std::span<const std::byte> file, std::string_view name);
  ~NpzReader();
  NpzReader(NpzReader&&) noexcept;
  NpzReader& operator=(NpzReader&&) noexcept;

  /// The arrays' names without ".npy", in the file's order; other members are left out.
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] bool contains(std::string_view name) const;
  /// The array `name`. Error(invalid_argument) when there is none or it holds text, Error(invalid_model) when
  /// the member is damaged, its declared size is not the array's, or it is packed beyond what real arrays
  /// are. Errors name file and member.
  [[nodiscard]] Tensor tensor(std::string_view name) const;
  /// The text array `name` as UTF-8, in C order; errors as `tensor`.
  [[nodiscard]] std::vector<std::string> strings(std::string_view name) const;

 private:
  struct Archive;
  [[nodiscard]] std::vector<std::byte> member(std::string_view name) const;

  std::unique_ptr<Archive> archive_;
};

/// One array to write: numbers (which the caller keeps alive) or strings.
struct NpzMember {
  std::string name;
  std::variant<TensorView, std::vector<std::string>> value;
};

/// Writes a .npz, deflated, that NumPy loads; equal members give equal bytes. Under its final name it is
/// whole or not there. Error(io) when it cannot be written, Error(invalid_argument) when a name is empty or
/// occurs twice.
void write_npz(const std::filesystem::path& path, std::span<const NpzMember> members);

}  // namespace octavo
