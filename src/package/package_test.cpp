#include "package/package.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>

#include "octavo/error.h"
#include "package/tar.h"

namespace octavo {
namespace {

using ::testing::HasSubstr;

namespace fs = std::filesystem;

/// A folder that goes away with the test.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("octavo_package_test." + std::to_string(getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator()));
  }
};

Package small_package(std::int64_t weights = 6) {
  Plan plan;
  plan.name = "small";
  plan.tensors = {
      {"x", DType::f32, {{6, true}}, Layout::plain, Quantization::per_tensor(0.5F, 3), Storage::input, 0},
      {"w", DType::f32, {{weights, false}}, Layout::plain, std::nullopt, Storage::weights, 0},
      {"y", DType::f32, {{6, true}}, Layout::plain, std::nullopt, Storage::output, 0}};
  plan.steps = {
      {"binary a=f32 b=f32 y=f32 dims=6 a_strides=1 b_strides=1 a_batch_stride6", "", {0, 1}, 2, {}, ""}};
  plan.inputs = {{"x", 0}};
  plan.outputs = {{"y", 2}};
  plan.weights = {{"weights/0000_w", DType::f32, {weights}}};
  std::vector<Tensor> data;
  data.emplace_back(DType::f32, std::vector<std::int64_t>{weights});
  for (float& v : data[0].as<float>()) v = 1.5F;
  return make_package(std::move(plan), std::move(data), {"small.pt", "00ff", "octavo test"});
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const fs::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string saved(const Package& package) {
  const Folder folder;
  package.save(folder.path / "p.tar");
  return read_file(folder.path / "p.tar");
}

/// What opening a file of these bytes says.
std::string error_of(std::string_view bytes, ErrorCode code = ErrorCode::invalid_model) {
  const Folder folder;
  write_file(folder.path / "p.tar", bytes);
  try {
    static_cast<void>(Package::open(folder.path / "p.tar"));
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), code) << e.what();
    EXPECT_THAT(e.what(), HasSubstr("p.tar: "));
    return e.what();
  }
  return "no error";
}

/// The saved package with some members left out, replaced (same name) or added.
std::string rebuilt(const std::vector<std::pair<std::string, std::string>>& changes,
                    const std::string& dropped = "") {
  const std::string good = saved(small_package());
  std::vector<std::pair<std::string, std::string>> members;
  for (const TarMember& m : read_tar(std::as_bytes(std::span(good)))) {
    if (m.name != dropped) {
      members.emplace_back(m.name,
                           std::string(reinterpret_cast<const char*>(m.bytes.data()), m.bytes.size()));
    }
  }
  for (const auto& [name, text] : changes) {
    const auto found =
        std::find_if(members.begin(), members.end(), [&](const auto& m) { return m.first == name; });
    if (found == members.end() || text.starts_with("+")) {
      members.emplace_back(name, text.substr(text.starts_with("+") ? 1 : 0));
    } else {
      found->second = text;
    }
  }
  std::vector<TarMember> views;
  for (const auto& [name, text] : members) views.push_back({name, std::as_bytes(std::span(text))});
  const Folder folder;
  write_tar(folder.path / "p.tar", views);
  return read_file(folder.path / "p.tar");
}

std::string manifest_with(const std::string& from, const std::string& to) {
  std::string text = small_package().manifest();
  text.replace(text.find(from), from.size(), to);
  return rebuilt({{"manifest.json", text}});
}

TEST(Package, SurvivesItsFile) {
  const Folder folder;
  const Package package = small_package();
  package.save(folder.path / "p.tar");
  const Package again = Package::open(folder.path / "p.tar");
  EXPECT_EQ(again.name(), "small");
  EXPECT_EQ(again.manifest(), package.manifest());
  EXPECT_EQ(again.plan_text(), package.plan_text());
  EXPECT_EQ(again.weights_bytes(), 24);
  EXPECT_EQ(again.data().weights[0].as<float>()[5], 1.5F);
  const PortInfo x = again.inputs().at(0);
  EXPECT_EQ(x.name, "x");
  EXPECT_TRUE(x.is_batched);
  EXPECT_EQ(x.shape, (std::vector<std::int64_t>{6}));
  EXPECT_EQ(x.quantization, Quantization::per_tensor(0.5F, 3));
  EXPECT_EQ(again.outputs().at(0).name, "y");
  EXPECT_EQ(folder.files(), 1U);
}

TEST(Package, SaysWhereItCameFrom) {
  const std::string manifest = small_package().manifest();
  for (const char* part : {"\"small.pt\"", "\"00ff\"", "\"octavo test\"", "\"format_version\": 1"}) {
    EXPECT_THAT(manifest, HasSubstr(part));
  }
}

TEST(Package, RefusesEveryTruncation) {
  const std::string good = saved(small_package());
  for (std::size_t size = 0; size + 1024 < good.size(); size += 256) {
    EXPECT_NE(error_of(good.substr(0, size)), "no error") << size;
  }
}

TEST(Package, RefusesEveryDamagedByte) {
  const std::string good = saved(small_package());
  int unnoticed = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x40);
    try {
      static_cast<void>(read_package(std::as_bytes(std::span(bad))));
      ++unnoticed;  // padding behind members, text of the manifest that says nothing, the end mark
    } catch (const Error& e) {
      EXPECT_NE(e.code(), ErrorCode::internal) << e.what();
    }
  }
  // Plan and weights have checksums, headers too; what remains is padding and the manifest's own text.
  EXPECT_LT(unnoticed, 4 * 512 + static_cast<int>(small_package().manifest().size()) + 1024);
}

TEST(Package, NoticesDamagedWeightsAndPlans) {
  std::string bad = saved(small_package());
  const std::size_t at = bad.find("weights/0000_w", bad.find("\"tensors\"") + 600);
  bad[at + 512] = static_cast<char>(bad[at + 512] ^ 1);
  EXPECT_THAT(error_of(bad), HasSubstr("member 'weights/0000_w' is damaged: its checksum is"));
  std::string plan = plan_json(small_package().data().plan);
  plan[10] = static_cast<char>(plan[10] ^ 1);
  EXPECT_THAT(error_of(rebuilt({{"plan.json", plan}})), HasSubstr("member 'plan.json' is damaged"));
}

TEST(Package, RefusesMissingAndDoubledMembers) {
  EXPECT_THAT(error_of(rebuilt({}, "manifest.json")), HasSubstr("member 'manifest.json' is missing"));
  EXPECT_THAT(error_of(rebuilt({}, "plan.json")), HasSubstr("member 'plan.json' is missing"));
  EXPECT_THAT(error_of(rebuilt({}, "weights/0000_w")), HasSubstr("member 'weights/0000_w' is missing"));
  EXPECT_THAT(error_of(rebuilt({{"plan.json", "+{}"}})), HasSubstr("member 'plan.json' is there twice"));
}

TEST(Package, RefusesOtherFormatsAndVersions) {
  EXPECT_THAT(error_of(manifest_with("\"format_version\": 1", "\"format_version\": 2")),
              HasSubstr("format version 2, this Octavo reads 1"));
  EXPECT_THAT(error_of(manifest_with("octavo-package", "other-package")),
              HasSubstr("no octavo-package manifest"));
  EXPECT_THAT(error_of(manifest_with("\"format_version\": 1", "\"format_version\": []")),
              HasSubstr("manifest.json"));
  EXPECT_THAT(error_of(rebuilt({{"manifest.json", "{"}})), HasSubstr("manifest.json"));
  EXPECT_THAT(error_of(rebuilt({{"manifest.json", "[]"}})), HasSubstr("manifest.json"));
}

TEST(Package, RefusesWeightsOfAnotherSizeOrWithoutAChecksum) {
  EXPECT_THAT(error_of(rebuilt({{"weights/0000_w", "abc"}})), HasSubstr("is damaged"));
  std::string text = small_package().manifest();
  const std::size_t at = text.find("weights/0000_w");
  text.replace(at, 14, "weights/0001_w");
  EXPECT_THAT(error_of(rebuilt({{"manifest.json", text}})), HasSubstr("weights/0001_w"));
  EXPECT_THAT(error_of(rebuilt({{"manifest.json", text}, {"weights/0001_w", "+"}})),
              HasSubstr("weights/0001_w"));
}

TEST(Package, RefusesFilesThatAreNoArchives) {
  EXPECT_THAT(error_of(""), HasSubstr("truncated"));
  EXPECT_NE(error_of(std::string(4096, 'x')), "no error");
  EXPECT_THAT(error_of(std::string(4096, '\0')), HasSubstr("manifest.json"));
}

TEST(Package, NamesAFileThatIsNotThere) {
  try {
    static_cast<void>(Package::open("/nonexistent/p.tar"));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::io);
    EXPECT_THAT(e.what(), HasSubstr("/nonexistent/p.tar"));
  }
}

/// Saves in a child process that may write no more than `bytes` to a file, as on a full disk. 0: an
/// Error(io).
int save_with_limit(const Package& package, const fs::path& path, rlim_t bytes) {
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, bytes};
    setrlimit(RLIMIT_FSIZE, &limit);
    int code = 2;
    try {
      package.save(path);
    } catch (const Error& e) {
      code = e.code() == ErrorCode::io ? 0 : 3;
    }
    _exit(code);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Package, LeavesNothingBehindOnAFullDisk) {
  const Folder folder;
  const Package package = small_package(100000);
  for (rlim_t bytes : {rlim_t{0}, rlim_t{100}, rlim_t{5000}, rlim_t{200000}}) {
    EXPECT_EQ(save_with_limit(package, folder.path / "p.tar", bytes), 0) << bytes;
    EXPECT_EQ(folder.files(), 0U) << bytes;
  }
}

TEST(Package, KeepsTheOldFileWhenTheDiskIsFull) {
  const Folder folder;
  small_package().save(folder.path / "p.tar");
  const std::string before = read_file(folder.path / "p.tar");
  EXPECT_EQ(save_with_limit(small_package(100000), folder.path / "p.tar", 5000), 0);
  EXPECT_EQ(read_file(folder.path / "p.tar"), before);
  EXPECT_EQ(folder.files(), 1U);
}

TEST(Package, CannotBeSavedWhereThereIsNoFolder) {
  EXPECT_THROW(small_package().save("/nonexistent/p.tar"), Error);
}

}  // namespace
}  // namespace octavo
