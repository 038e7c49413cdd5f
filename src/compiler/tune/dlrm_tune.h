#pragma once
#include "compiler/tune/tune.h"
#include "octavo/dlrm.h"
#include "package/dlrm_model.h"

namespace octavo {

/// What was found for a DLRM.
struct DlrmTuneResult {
  DlrmTuning choice;
  TunedTask task;
  std::int64_t trials = 0;         ///< that stand for it, those of earlier runs included
  std::vector<std::string> notes;  ///< for people, as TuneResult's
};

/// The one choice there is for a DLRM: a kernel row of `arithmetic` ("amx_int8"), and, where a thread gets
/// more than a few samples of a batch, how many of them go through at a time ("amx_int8:256"). The row's own
/// number comes first.
TuningTask dlrm_task(const Dlrm& model, DlrmPrecision precision, std::int64_t batch, int threads);

/// Times the candidates on this machine and writes each trial to `log`; every run scores the next
/// `options.batch` samples of `data`, which has one row for each table and sample, so that rows come from
/// where they come from in earnest. Trials of this CPU, version and use that `logged` holds count as made.
/// The caller's process must have no other threads. Errors as DlrmSession::DlrmSession, and Error(io) from
/// the log; Error(invalid_argument) when `data` has less than a batch.
DlrmTuneResult tune_dlrm(const Dlrm& model, DlrmPrecision precision, const DlrmBatch& data,
                         const LoggedTrials& logged, TuningLog& log, const TuneOptions& options,
                         const std::function<void(const TuneProgress&)>& progress = {});

/// What a log knows of a DLRM.
struct DlrmLogged {
  std::vector<DlrmTuning> choices;  ///< one for each arithmetic with trials, for the use they were made for
  std::int64_t trials = 0;          ///< that stand for them
  std::vector<std::string>
      notes;  ///< for people, as TuneResult's; "not tuned: ..." for the other arithmetics
};

/// The choices that the trials of `logged` support on this CPU, without measuring: for each arithmetic of the
/// model those of the use with as many threads, then the one with the nearest batch. Errors as
/// DlrmSession::DlrmSession.
DlrmLogged apply_log(const Dlrm& model, const LoggedTrials& logged, const TuneOptions& options);

}  // namespace octavo
