// A session takes batches of any size as they come: without memory for them, and with equal scores.
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <new>

#include "base/cpu.h"
#include "engine/session/dlrm/testing/allocations.h"
#include "engine/session/dlrm/testing/models.h"

namespace octavo {
namespace {

using testing::AllocationCount;
using testing::OwnedBatch;

constexpr DlrmPrecision kPrecisions[] = {DlrmPrecision::f32, DlrmPrecision::bf16, DlrmPrecision::int8};

std::shared_ptr<DlrmData> small_model() {
  std::shared_ptr<DlrmData> data = testing::random_dlrm({.dense_features = 4,
                                                         .dim = 16,
                                                         .bottom = {16},
                                                         .top = {8, 1},
                                                         .rows = {40, 3},
                                                         .formats = {RowFormat::f32}});
  testing::calibrate(data, testing::random_batch(data->model, 200).view());
  return data;
}

DlrmSession session_of(const std::shared_ptr<DlrmData>& data, DlrmPrecision precision, std::string_view row,
                       int threads) {
  DlrmSessionOptions options;
  options.precision = precision;
  options.kernel = row;
  options.threads = threads;
  return DlrmSession(Dlrm(data), options);
}

/// Samples `first` up to `first + count` of a batch without bags, where they lie.
DlrmBatch part(const OwnedBatch& whole, std::int64_t first, std::int64_t count) {
  const auto features = std::ssize(whole.dense) / whole.samples;
  const auto at = [](std::int64_t n) { return static_cast<std::size_t>(n); };
  return {count,
          std::span(whole.dense).subspan(at(first * features), at(count * features)),
          std::span(whole.indices).subspan(at(first)),
          {},
          whole.samples};
}

TEST(AnyBatch, OfAMillionSamplesGivesTheScoresOfSmallOnes) {
  constexpr std::int64_t kSamples = 1'000'000, kPiece = 4099;
  const std::shared_ptr<DlrmData> data = small_model();
  const OwnedBatch all = testing::random_batch(data->model, kSamples);
  std::vector<float> at_once(kSamples), in_pieces(kSamples);
  for (const DlrmPrecision precision : kPrecisions) {
    session_of(data, precision, "", 2).score(all.view(), at_once);
    DlrmSession session = session_of(data, precision, "", 1);
    for (std::int64_t first = 0; first < kSamples; first += kPiece) {
      const std::int64_t count = std::min(kPiece, kSamples - first);
      session.score(part(all, first, count), std::span(in_pieces).subspan(static_cast<std::size_t>(first),
                                                                          static_cast<std::size_t>(count)));
    }
    EXPECT_EQ(at_once, in_pieces) << arithmetic_name(precision);
    EXPECT_NE(at_once.front(), at_once.back());
  }
}

TEST(AllocationCount, SeesEveryWayToAllocate) {
  if (!testing::sees_allocations()) GTEST_SKIP() << "SKIPPED: a sanitizer's allocator is in use";
  // What nobody could look at would not be allocated at all by an optimizing compiler.
  void* volatile memory = nullptr;
  const AllocationCount count;
  memory = ::operator new(8);
  ::operator delete(memory);
  EXPECT_EQ(count.value(), 1);
  memory = ::operator new (64, std::align_val_t{64});
  ::operator delete (memory, std::align_val_t{64});
  EXPECT_EQ(count.value(), 2);
  memory = std::malloc(1);
  EXPECT_EQ(count.value(), 3);
  memory = std::realloc(memory, 100'000);
  EXPECT_EQ(count.value(), 4);
  std::free(memory);
  memory = std::calloc(3, 3);
  EXPECT_EQ(count.value(), 5);
  std::free(memory);
  memory = std::aligned_alloc(64, 64);
  EXPECT_EQ(count.value(), 6);
  std::free(memory);
  void* aligned = nullptr;
  EXPECT_EQ(posix_memalign(&aligned, 64, 64), 0);
  EXPECT_EQ(count.value(), 7);
  std::free(aligned);
  EXPECT_EQ(AllocationCount().value(), 0);
}

TEST(AnyBatch, IsScoredWithoutAllocatingByEveryRow) {
  if (!testing::sees_allocations()) GTEST_SKIP() << "SKIPPED: a sanitizer's allocator is in use";
  const auto data = testing::random_dlrm({});
  testing::calibrate(data, testing::random_batch(data->model, 200).view());
  std::vector<OwnedBatch> batches;
  for (std::int64_t samples : {3, 1, 700, 64, 2500}) {
    for (std::int64_t most_in_bag : {0, 5})
      batches.push_back(testing::random_batch(data->model, samples, most_in_bag));
  }
  std::vector<float> scores(2500);
  for (const DlrmPrecision precision : kPrecisions) {
    for (const DlrmRow& row : dlrm_rows(precision)) {
      if (!runs_here(row, usable_isa())) continue;
      for (const int threads : {1, 2}) {
        DlrmSession session = session_of(data, precision, row.name, threads);
        const auto score = [&](const OwnedBatch& batch) {
          session.score(batch.view(), std::span(scores).first(static_cast<std::size_t>(batch.samples)));
        };
        score(batches.front());
        const AllocationCount count;
        for (const OwnedBatch& batch : batches) score(batch);
        EXPECT_EQ(count.value(), 0) << arithmetic_name(precision) << ' ' << row.name << ' ' << threads;
      }
    }
  }
}

}  // namespace
}  // namespace octavo
