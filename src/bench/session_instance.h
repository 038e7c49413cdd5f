#pragma once
#include <memory>

#include "bench/instance.h"
#include "bench/samples.h"
#include "octavo/session.h"

namespace octavo::bench {

/// A Session as an instance.
class SessionInstance : public Instance {
 public:
  /// `options.threads` and `.cpus` are those of `place`. Instances share the samples, of which there must be
  /// as many as the largest batch at least.
  SessionInstance(const Package& package, SessionOptions options, const Place& place,
                  std::shared_ptr<const Samples> samples);
  std::int64_t run(std::int64_t first, std::int64_t count) override;

  /// The first output of the last run; f32 only, empty otherwise.
  [[nodiscard]] std::vector<float> first_output() const;
  [[nodiscard]] Session& session() noexcept { return session_; }

 private:
  void set_inputs(std::int64_t first, std::int64_t count);

  Session session_;
  std::vector<PortInfo> ports_;
  std::shared_ptr<const Samples> samples_;
  std::int64_t first_ = -1, count_ = -1;  ///< the samples that are set
};

/// Starts instances of `package`. Error(invalid_argument) from an instance's run: more samples at once than
/// there are, or more than one at once of a model without a batch.
StartInstance start_sessions(const Package& package, const SessionOptions& options,
                             const std::shared_ptr<const Samples>& samples);

/// Whether the model scores batches: some input's extent grows with the batch.
bool takes_batches(const Package& package);

}  // namespace octavo::bench
