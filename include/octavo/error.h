#pragma once
#include <stdexcept>
#include <string>
#include <string_view>

namespace octavo {

/// What kind of thing went wrong; the text says which one and where.
enum class ErrorCode {
  invalid_argument,  ///< a caller's request makes no sense: wrong name, shape, dtype, flag
  invalid_model,     ///< a model, package or data file is damaged or breaks its format's rules
  unsupported,       ///< well-formed, but Octavo has no way to do it
  io,                ///< the operating system refused: file missing, disk full
  internal,          ///< a defect of Octavo
};

/// The one exception type that leaves the library. `what()` is a single line that names the offending thing
/// and its value; every level that catches it may put its place in front with `within`.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}

  [[nodiscard]] ErrorCode code() const noexcept { return code_; }

  /// The same error with "place: " in front, for rethrowing one level up.
  [[nodiscard]] Error within(std::string_view place) const {
    return {code_, std::string(place) + ": " + what()};
  }

 private:
  ErrorCode code_;
};

}  // namespace octavo
