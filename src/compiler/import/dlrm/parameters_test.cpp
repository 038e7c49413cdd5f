#include <gmock/gmock.h>

#include "compiler/import/dlrm/source.h"
#include "compiler/import/dlrm/testing.h"

namespace octavo::dlrm_import {
namespace {

namespace fs = std::filesystem;
using ::octavo::testing::error_of;
using ::octavo::testing::TemporaryFolder;
using ::octavo::testing::test_data;
using ::octavo::testing::write_file;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <class T>
void write_values(const fs::path& path, const std::vector<T>& values) {
  write_file(path, std::as_bytes(std::span(values)));
}

/// p0 … p10 of the smallest DLRM: 3-4-2, tables of 3 and 5 rows, triangle, 5-4-1.
void write_small(const fs::path& folder) {
  const std::vector<std::vector<int>> shapes{{4, 3}, {4},    {2, 4}, {2},    {3, 2}, {5, 2},
                                             {},     {4, 5}, {4},    {1, 4}, {1}};
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const fs::path path = folder / ("p" + std::to_string(i));
    if (i == 6) {
      write_values<std::int64_t>(path, {3, 6, 7});
    } else {
      write_values(path, counting_values(shapes[i]));
    }
  }
}

std::string refusal(const fs::path& folder, ErrorCode code = ErrorCode::invalid_model) {
  return error_of(code, [&] { open_dlrm_parameters(folder); });
}

TEST(DlrmParameters, TellsTheArchitectureByTheTriangle) {
  const TemporaryFolder folder;
  write_small(folder.path());
  DlrmSource source = open_dlrm_parameters(folder.path());
  EXPECT_EQ(print(source.model), "2 tables x 2, 8 rows; 3-4-2, dot, 5-4-1");
  EXPECT_EQ(source.bottom[1].weights.as<float>()[7], 4.0F);
  EXPECT_EQ(source.top[1].bias.as<float>()[0], 0.5F);
  std::vector<float> rows(4);
  source.tables[1]->read(3, rows);
  EXPECT_THAT(rows, ElementsAre(3.5F, 4.0F, 4.5F, 5.0F));
  EXPECT_EQ(source.provenance.source_bytes, 4 * (12 + 4 + 8 + 2 + 6 + 10 + 20 + 4 + 4 + 1) + 24);
}

TEST(DlrmParameters, TakesATriangleWithTheDiagonal) {
  const TemporaryFolder folder;
  write_small(folder.path());
  write_values<std::int64_t>(folder / "p6", {0, 3, 4, 6, 7, 8});
  write_values(folder / "p7", counting_values({4, 8}));
  EXPECT_EQ(open_dlrm_parameters(folder.path()).model.interaction, Interaction::dot_with_self);
}

TEST(DlrmParameters, NamesTheFileThatIsMissingShortOrTooMany) {
  const std::vector<std::tuple<std::string, std::int64_t, std::string>> cases{
      {"p4", -1, "'p4' is missing, but 'p10' is there"},
      {"p5", 36, "'p5' has 36 bytes, no multiple of 8 bytes (rows of a table)"},
      {"p5", 0, "'p5' has 0 bytes"},
      {"p0", 44, "'p0' has 44 bytes, no multiple of 16 bytes (outputs by 'p1')"},
      {"p1", 13, "'p1' has 13 bytes, no multiple of 4 bytes (one float)"},
      {"p2", 24, "'p2' takes 3 inputs, but 'p0' gives 4"},
      {"p7", 64, "'p7' takes 4 inputs, which no interaction of 2 tables x 2 gives"},
      {"p6", 16, "none of p0 to p10 holds the indices of the interaction's triangle"},
      {"p11", 4, "'p11' stands alone"},
      {"p10", -1, "'p9' stands alone"},
      {"p5000", 4, "'p5000': more than 4096 files"},
  };
  for (const auto& [name, size, message] : cases) {
    const TemporaryFolder folder;
    write_small(folder.path());
    if (size < 0) {
      fs::remove(folder / name);
    } else {
      write_file(folder / name, fs::exists(folder / name) ? octavo::testing::file_bytes(folder / name)
                                                          : std::vector<std::byte>{});
      fs::resize_file(folder / name, static_cast<std::uintmax_t>(size));
    }
    EXPECT_THAT(refusal(folder.path()), HasSubstr(message));
  }
}

TEST(DlrmParameters, RefusesAFolderWithoutThem) {
  const TemporaryFolder folder;
  EXPECT_THAT(refusal(folder.path()), HasSubstr("no files p0, p1"));
  EXPECT_THAT(refusal(folder / "none", ErrorCode::io), HasSubstr("cannot read the folder"));
}

TEST(DlrmSource, IsToldByContent) {
  const TemporaryFolder folder;
  write_small(folder.path());
  EXPECT_EQ(open_dlrm_source(folder.path()).model.tables.size(), 2U);
  write_file(folder / "a.pt", checkpoint_of(small_shapes()));
  EXPECT_EQ(open_dlrm_source(folder / "a.pt").model.name, "a");
  write_file(folder / "b.pt", "what is this");
  EXPECT_THAT(error_of(ErrorCode::invalid_model, [&] { open_dlrm_source(folder / "b.pt"); }),
              HasSubstr("b.pt: "));
  EXPECT_THAT(error_of(ErrorCode::io, [&] { open_dlrm_source(folder / "c.pt"); }),
              HasSubstr("c.pt: cannot open"));
}

TEST(DlrmParameters, AreThoseOfTheCheckpoint) {
  OCTAVO_NEED_TEST_DATA();
  const DlrmSource ours = open_dlrm_parameters(test_data() / "dlrm/small_dlrm_params");
  const DlrmSource theirs = open_dlrm_checkpoint(test_data() / "dlrm/small_dlrm.pt");
  EXPECT_EQ(print(ours.model), print(theirs.model));
  for (std::size_t t = 0; t < ours.tables.size(); ++t) {
    std::vector<float> a(static_cast<std::size_t>(ours.model.tables[t].rows * ours.model.dim)), b(a.size());
    ours.tables[t]->read(0, a);
    theirs.tables[t]->read(0, b);
    EXPECT_EQ(a, b) << t;
  }
  for (std::size_t i = 0; i < ours.top.size(); ++i) {
    const auto a = ours.top[i].weights.as<float>(), b = theirs.top[i].weights.as<float>();
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end())) << i;
  }
}

}  // namespace
}  // namespace octavo::dlrm_import
