#include "cli/arrays.h"

#include <filesystem>

#include "base/fail.h"
#include "data/npy.h"
#include "data/npz.h"

namespace octavo::cli {

bool has_extension(const std::string& path, std::string_view extension) {
  return std::filesystem::path(path).extension() == extension;
}

std::map<std::string, Tensor> read_arrays(const std::vector<std::string>& files,
                                          const std::vector<PortInfo>& inputs) {
  std::map<std::string, Tensor> arrays;
  std::size_t position = 0;
  for (const std::string& argument : files) {
    const std::size_t equals = argument.find('=');
    const std::string path = equals == std::string::npos ? argument : argument.substr(equals + 1);
    if (has_extension(path, ".npz")) {
      const NpzReader file(path);
      for (const std::string& name : file.names()) arrays[name] = file.tensor(name);
      continue;
    }
    if (equals == std::string::npos && position >= inputs.size()) {
      fail(ErrorCode::invalid_argument, "'{}' is one array too many: the model has {} inputs", path,
           inputs.size());
    }
    arrays[equals == std::string::npos ? inputs[position++].name : argument.substr(0, equals)] =
        read_npy(path);
  }
  return arrays;
}

}  // namespace octavo::cli
