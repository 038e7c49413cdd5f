#pragma once
#include <cstdlib>
#include <string>
#include <vector>

#include "octavo/session.h"

// What the tests of independence from all settings share.

namespace octavo {

/// A value of the environment for as long as it lives.
class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) {
    const char* before = std::getenv(name);
    if (before != nullptr) before_ = before;
    setenv(name, value.c_str(), 1);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() { before_.empty() ? unsetenv(name_) : setenv(name_, before_.c_str(), 1); }

 private:
  const char* name_;
  std::string before_;
};

/// `count` pictures of noise for the model's only input, the same every time.
inline Tensor noise(const Package& package, std::int64_t count) {
  std::vector<std::int64_t> shape = package.inputs().at(0).shape;
  shape[0] = count;
  Tensor data(DType::f32, std::move(shape));
  std::uint32_t state = 1;
  for (float& v : data.as<float>()) {
    state = state * 1664525U + 1013904223U;
    v = static_cast<float>(state >> 8U) / 4194304.0F - 2.0F;
  }
  return data;
}

}  // namespace octavo
