#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "octavo/tensor.h"

namespace octavo {

struct PackageData;

/// An input or output of a model as its user sees it.
struct PortInfo {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;  ///< at a batch size of 1
  bool is_batched = false;          ///< whether the first extent is multiplied by the batch size
  std::optional<Quantization> quantization;
};

/// A compiled model: the plan and its weights, on disk or in memory. Cheap to copy; copies share one
/// read-only memory, and so do all Sessions made from them, in any number of threads.
class Package {
 public:
  /// Maps a package file (`saved_model.tar`). Error(io) when it cannot be read, Error(invalid_model) when it
  /// is damaged, truncated or of a newer format.
  static Package open(const std::filesystem::path& path);
  /// Writes the file whole or not at all. Error(io).
  void save(const std::filesystem::path& path) const;

  [[nodiscard]] const std::string& name() const;
  [[nodiscard]] std::vector<PortInfo> inputs() const;
  [[nodiscard]] std::vector<PortInfo> outputs() const;
  /// manifest.json's text: format version, provenance, ports, checksums.
  [[nodiscard]] const std::string& manifest() const;
  /// The plan as text, one line per step.
  [[nodiscard]] std::string plan_text() const;
  /// Bytes of all weights.
  [[nodiscard]] std::int64_t weights_bytes() const;

  explicit Package(std::shared_ptr<const PackageData> data) : data_(std::move(data)) {}
  [[nodiscard]] const PackageData& data() const noexcept { return *data_; }
  [[nodiscard]] std::shared_ptr<const PackageData> shared_data() const noexcept { return data_; }

 private:
  std::shared_ptr<const PackageData> data_;
};

/// How many packed copies of a package's weights its sessions keep in memory.
enum class WeightCopies {
  one,           ///< all sessions share one
  one_per_node,  ///< the sessions pinned to CPUs of one NUMA node share one, made by threads there
};

/// How images go through a plan; 0 = as measured best, or else the default. Results do not depend on it.
struct PassShape {
  std::int64_t images = 0;     ///< at a time at most
  std::int64_t row_bands = 0;  ///< in which large steps go down an image together; 1 = each step whole
  std::int64_t l2_kib = 0;     ///< of L2 for activations: steps with more are done for fewer images at a time
  /// Every tensor lies as the plan says: no step writes one with the border, say, that the next one wants.
  bool keeps_layout = false;
};

struct SessionOptions {
  int threads = 1;
  /// CPUs to pin the threads to, one each; empty = no pinning.
  std::vector<int> cpus;
  PassShape pass;
  /// Forces a kernel row where it is legal: "conv2d:reference,linear:onednn" (also the environment's
  /// OCTAVO_KERNEL).
  std::string kernels;
  WeightCopies weights = WeightCopies::one;
};

/// What a session chose for one step.
struct StepInfo {
  std::string problem;
  std::string kernel;
  std::string origin;
  /// For each faster row that was passed over: "row: reason".
  std::vector<std::string> passed_over;
};

/// One thread's part in one step of a traced run, in nanoseconds of the steady clock. A step has several
/// where the images of a batch take it one after the other.
struct StepEvent {
  std::int32_t step = 0;  ///< as in `Session::steps`
  std::int32_t thread = 0;
  std::int64_t begin_ns = 0;
  std::int64_t done_ns = 0;  ///< this thread's share was done
  std::int64_t end_ns = 0;   ///< all threads' were
};

/// A package being run: one instance with a team of threads of its own. Not thread-safe; use one Session per
/// caller. Sessions of one package share its prepared kernels and packed weights; they may be made, run and
/// destroyed by different threads at the same time.
class Session {
 public:
  /// Prepares every kernel. Error(unsupported) when a step has no legal kernel, Error(invalid_model) when the
  /// plan breaks its rules, Error(invalid_argument) for options that make no sense here.
  explicit Session(Package package, const SessionOptions& options = {});
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  /// Gives the input `name`; the memory is read in place by `run` and must live until it returns.
  /// Error(invalid_argument) for an unknown name, or another dtype or shape than the model's; batched inputs
  /// must agree on the batch size.
  void set_input(std::string_view name, const TensorView& value);
  /// Computes all outputs for the inputs given. Error(invalid_argument) naming an input that was never given.
  void run();
  /// As `run`; returns the nanoseconds that each step took, the waiting for the slowest thread included, in
  /// the order of `steps`.
  std::vector<std::int64_t> run_timed();
  /// As `run`; returns what every thread did when, thread by thread in the order of time.
  std::vector<StepEvent> run_traced();
  /// The result of the last run; valid until the next run.
  [[nodiscard]] TensorView output(std::string_view name) const;
  [[nodiscard]] TensorView output(std::size_t index = 0) const;

  [[nodiscard]] const Package& package() const noexcept;
  [[nodiscard]] std::vector<StepInfo> steps() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace octavo
