#include "package/model_library.h"

#include <elf.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <functional>

#include "octavo/error.h"
#include "package/package.h"

namespace octavo {
namespace {

using ::testing::HasSubstr;

namespace fs = std::filesystem;

Package small_package() {
  Plan plan;
  plan.name = "small";
  plan.tensors = {{"x", DType::f32, {{1, true}}, Layout::plain, std::nullopt, Storage::input, 0},
                  {"y", DType::f32, {{1, true}}, Layout::plain, std::nullopt, Storage::output, 0}};
  plan.steps = {{"unary", "", {0}, 1, {}, ""}};
  plan.inputs = {{"x", 0}};
  plan.outputs = {{"y", 1}};
  return make_package(std::move(plan), {}, {});
}

/// The least library that can carry a package: its headers, and a slot in its one segment.
struct Library {
  Elf64_Ehdr header{};
  Elf64_Phdr load{};
  Elf64_Phdr note{};
  PackageSlot slot{};

  Library() {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_type = ET_DYN;
    header.e_phoff = sizeof header;
    header.e_phnum = 2;
    load.p_type = PT_LOAD;
    load.p_vaddr = 0x10000;
    load.p_filesz = load.p_memsz = sizeof(Library);
    note.p_type = PT_NOTE;
    std::memcpy(slot.mark, kSlotMark, sizeof slot.mark);
  }
  [[nodiscard]] std::span<const std::byte> bytes() const { return std::as_bytes(std::span(this, 1)); }
};

fs::path out_path() { return fs::temp_directory_path() / ("octavo_library." + std::to_string(getpid())); }

std::string refusal(std::span<const std::byte> runtime) {
  try {
    write_model_library(out_path(), runtime, small_package());
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::invalid_model);
    EXPECT_FALSE(fs::exists(out_path()));
    return e.what();
  }
  return "none";
}

std::string refusal(const std::function<void(Library&)>& spoil) {
  Library library;
  spoil(library);
  return refusal(library.bytes());
}

TEST(ModelLibrary, IsTheRuntimeWithThePackageInASegmentOfItsOwn) {
  const Library library;
  write_model_library(out_path(), library.bytes(), small_package());
  const MappedFile file(out_path());
  fs::remove(out_path());
  Library written;
  std::memcpy(&written, file.bytes().data(), sizeof written);
  EXPECT_EQ(written.note.p_type, static_cast<Elf64_Word>(PT_LOAD));
  EXPECT_EQ(written.note.p_offset % 4096, written.note.p_vaddr % 4096);
  EXPECT_GE(written.note.p_vaddr, library.load.p_vaddr + library.load.p_memsz);
  const std::uint64_t slot_address = library.load.p_vaddr + offsetof(Library, slot);
  EXPECT_EQ(slot_address + static_cast<std::uint64_t>(written.slot.distance), written.note.p_vaddr);
  const auto tar = file.bytes().subspan(written.note.p_offset);
  EXPECT_EQ(tar.size(), static_cast<std::size_t>(written.slot.bytes));
  EXPECT_EQ(read_package(tar).name(), "small");
}

TEST(ModelLibrary, RefusesWhatIsNoLibrary) {
  const Library library;
  EXPECT_THAT(refusal(library.bytes().first(8)), HasSubstr("truncated"));
  EXPECT_THAT(refusal(library.bytes().first(sizeof(Elf64_Ehdr) + 8)), HasSubstr("truncated"));
  EXPECT_THAT(refusal([](Library& l) { l.header.e_phoff = ~std::uint64_t{0}; }), HasSubstr("truncated"));
  EXPECT_THAT(refusal([](Library& l) { l.header.e_ident[0] = 0; }), HasSubstr("none"));
  EXPECT_THAT(refusal([](Library& l) { l.header.e_type = ET_EXEC; }), HasSubstr("none"));
}

TEST(ModelLibrary, RefusesALibraryWithoutASlotOrAFreeHeader) {
  EXPECT_THAT(refusal([](Library& l) { l.slot.mark[0] = 'o'; }), HasSubstr("no slot"));
  EXPECT_THAT(refusal([](Library& l) { l.load.p_filesz = 64; }), HasSubstr("not loaded"));
  EXPECT_THAT(refusal([](Library& l) { l.note.p_type = PT_NULL; }), HasSubstr("no note"));
  EXPECT_THAT(refusal([](Library& l) { std::swap(l.load, l.note); }), HasSubstr("before its segments"));
}

TEST(ModelLibrary, NamesAFileThatCannotBeWritten) {
  const Library library;
  try {
    write_model_library("/nowhere/model.so", library.bytes(), small_package());
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::io);
    EXPECT_THAT(e.what(), HasSubstr("/nowhere/model.so"));
  }
}

}  // namespace
}  // namespace octavo
