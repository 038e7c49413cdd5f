#include "cli/bench_inputs.h"

#include "base/cpu.h"
#include "base/fail.h"
#include "cli/arrays.h"
#include "cli/pictures.h"

namespace octavo::cli {
namespace {

bench::Samples samples_of_arrays(const std::vector<std::string>& files, const std::vector<PortInfo>& ports) {
  auto arrays = read_arrays(files, ports);
  bench::Samples samples;
  for (const PortInfo& port : ports) {
    const auto found = arrays.find(port.name);
    if (found == arrays.end()) fail(ErrorCode::invalid_argument, "no array for input '{}'", port.name);
    Tensor& array = found->second;
    std::vector<std::int64_t> expected = port.shape;
    const bool has_rows = port.is_batched && !array.shape().empty() && array.shape()[0] >= port.shape[0];
    const std::int64_t rows = has_rows ? array.shape()[0] / port.shape[0] : 1;
    if (port.is_batched) expected[0] *= rows;
    if (array.dtype() != port.dtype || array.shape() != expected) {
      fail(ErrorCode::invalid_argument, "input '{}' is given {}{}, expected {}{}", port.name,
           dtype_name(array.dtype()), shape_text(array.shape()), dtype_name(port.dtype),
           shape_text(expected));
    }
    if (port.is_batched && samples.count != 0 && samples.count != rows) {
      fail(ErrorCode::invalid_argument, "input '{}' has {} samples, another {}", port.name, rows,
           samples.count);
    }
    if (port.is_batched) samples.count = rows;
    samples.inputs.push_back(std::move(array));
  }
  samples.count = std::max<std::int64_t>(samples.count, 1);
  return samples;
}

bench::Samples samples_of_pictures(const InputOptions& options, const std::vector<PortInfo>& ports) {
  if (ports.size() != 1 || ports[0].dtype != DType::f32 || ports[0].shape.size() != 4) {
    fail(ErrorCode::invalid_argument, "the model's inputs are no pictures: give arrays (.npy, .npz)");
  }
  const std::vector<std::int64_t> shape(ports[0].shape.begin() + 1, ports[0].shape.end());
  const int threads = usable_threads(cpu_facts().system);
  Pictures pictures = load_pictures(pictures_at(options.files), find_recipe(options.recipe), shape, threads);
  if (!pictures.problems.empty()) fail(ErrorCode::invalid_argument, "{}", pictures.problems.front());
  if (pictures.count() == 0) fail(ErrorCode::invalid_argument, "no pictures in '{}'", options.files.front());
  bench::Samples samples;
  samples.count = pictures.count();
  samples.inputs.push_back(std::move(pictures.inputs));
  return samples;
}

}  // namespace

bench::Samples read_samples(const InputOptions& options, const Package& package, std::int64_t least) {
  const std::vector<PortInfo> ports = package.inputs();
  if (options.files.empty()) return bench::made_up_samples(ports, least, options.seed);
  const bool are_arrays = has_extension(options.files[0], ".npy") || has_extension(options.files[0], ".npz");
  return bench::repeated(
      ports, are_arrays ? samples_of_arrays(options.files, ports) : samples_of_pictures(options, ports),
      least);
}

}  // namespace octavo::cli
