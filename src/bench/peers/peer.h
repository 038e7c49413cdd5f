#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "bench/instance.h"
#include "bench/samples.h"

namespace octavo::bench {

/// Another runtime's instance of a model, on inputs and CPUs like ours.
class PeerInstance : public Instance {
 public:
  using Instance::Instance;
  /// Its name and version, as reports show them.
  [[nodiscard]] virtual std::string name() const = 0;
  /// The model's first output of the last run; f32 only, empty otherwise.
  [[nodiscard]] virtual std::vector<float> first_output() = 0;
};

/// What a peer is given.
struct PeerModel {
  std::filesystem::path onnx;  ///< the file that our package was compiled from
  std::vector<PortInfo> inputs;
  std::vector<PortInfo> outputs;
  std::shared_ptr<const Samples> samples;
  std::int64_t batch = 1;  ///< of all runs: peers may be compiled for it
};

/// Through its C API, from a library that `library` names or that is found (see find_library). Threads that
/// the peer makes keep to the CPUs of `place`. Error(io) when it is not installed, Error(unsupported) with
/// the peer's own words when it refuses.
std::unique_ptr<PeerInstance> start_onnxruntime(const PeerModel& model, const Place& place,
                                                const std::string& library);
std::unique_ptr<PeerInstance> start_openvino(const PeerModel& model, const Place& place,
                                             const std::string& library);

/// Runs `action` in a thread that may use `cpus` alone (all where there are none), as then may the threads
/// that it starts; rethrows its error.
void run_on_cpus(const std::vector<int>& cpus, const std::function<void()>& action);

/// The bytes of `count` samples of input `index`, from sample `first` on (0 where that would go over the
/// end).
TensorView sample_view(const PeerModel& model, std::size_t index, std::int64_t first, std::int64_t count);

}  // namespace octavo::bench
